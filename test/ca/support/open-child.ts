/**
 * A process that opens the CA of a folder, to be killed or raced.
 * usage: node open-child.js FOLDER [STEP [NAME]]: dies by SIGKILL before the STEPth step (from 1).
 * Prints the root's fingerprint, or the code of the error.
 */
import { openAuthority } from '../../../ca/authority.js'
import { systemClock } from '../../../src/core/clock.js'
import { codeOf } from '../../../src/core/errors.js'

const [directory = '', killAt = '0', name = 'api.openai.com'] = process.argv.slice(2)
let steps = 0
try {
  const authority = await openAuthority({
    directory,
    issuedNames: [name],
    clock: systemClock,
    onStep: () => {
      steps += 1
      if (steps === Number(killAt)) process.kill(process.pid, 'SIGKILL')
    },
  })
  console.log(`${authority.rootFingerprint} ${steps}`)
} catch (cause) {
  console.log(codeOf(cause), (cause as Error).message)
  process.exitCode = 1
}
