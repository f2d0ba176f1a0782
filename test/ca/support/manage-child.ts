/**
 * A process that changes a CA, to be killed.
 * usage: node manage-child.js FOLDER remove|back|import STEP [KEY [CERT]]: dies by
 * SIGKILL before the STEPth step. Prints how many steps there were.
 */
import { readFile } from 'node:fs/promises'
import { bringRootKeyBack, importRoot, takeRootKeyAway } from '../../../ca/manage.js'
import { systemClock } from '../../../src/core/clock.js'

const [directory = '', what, killAt = '0', keyPath = '', certPath = ''] =
  process.argv.slice(2)
let steps = 0
const settings = {
  directory,
  issuedNames: ['api.openai.com', '*.openai.azure.com', 'yori.home.arpa'],
  clock: systemClock,
  onStep: (): void => {
    steps += 1
    if (steps === Number(killAt)) process.kill(process.pid, 'SIGKILL')
  },
}
const given = async (): Promise<{ pem: string; path: string }> => ({
  pem: await readFile(keyPath, 'utf8'),
  path: keyPath,
})
if (what === 'remove') await takeRootKeyAway(settings)
else if (what === 'back') await bringRootKeyBack(settings, await given())
else {
  const certificate = { pem: await readFile(certPath, 'utf8'), path: certPath }
  await importRoot(settings, certificate, await given())
}
console.log(steps)
