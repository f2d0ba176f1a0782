/**
 * A process that changes the root of a CA, to be killed.
 * usage: node rotate-child.js FOLDER stage|activate STEP: dies by SIGKILL before the STEPth step.
 */
import { activateStagedRoot, stageNewRoot } from '../../../ca/manage.js'
import { systemClock } from '../../../src/core/clock.js'

const [directory = '', what, killAt = '0'] = process.argv.slice(2)
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
if (what === 'stage') await stageNewRoot(settings)
else await activateStagedRoot(settings)
console.log(steps)
