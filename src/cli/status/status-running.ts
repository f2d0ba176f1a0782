/** Does a YORI answer on the addresses of the configuration? */
import { printable } from '../../audit/printable.js'
import { ask } from '../../doctor/ask-health.js'
import { runningInstance } from '../instance.js'
import type { Answer } from '../../doctor/ask-health.js'
import type { Finding, StatusSection } from './status-section.js'

export const runningSection: StatusSection = {
  name: 'running',
  async read({ config }): Promise<Finding> {
    // Where it says itself that it listens, which flags may have changed, or the system chosen.
    const instance = runningInstance(config.state_dir)
    const answers = await Promise.all((instance?.listen ?? config.listen).map(ask))
    const count = answers.filter((answer) => answer.answers).length
    const wrong = new Set(answers.flatMap(({ health }) => concernsIn(health)))
    const all = count === answers.length && wrong.size === 0
    const level = all ? 'good' : count > 0 ? 'notice' : 'bad'
    const lines = [...answers.map(line), ...[...wrong].map(printable)]
    return { level, facts: { listen: answers }, lines }
  },
}

/** What `/health` says is wrong, in its words. */
function concernsIn(health: Answer['health']): string[] {
  const all: unknown = health?.['concerns']
  if (!Array.isArray(all)) return []
  return all.flatMap((one: unknown) => {
    const says = (one as { says?: unknown } | null)?.says
    return typeof says === 'string' ? [says] : []
  })
}

function line({ listen, answers, health, reason }: Answer): string {
  if (!answers)
    return `${printable(listen)}  does not answer: ${printable(reason ?? '?')}`
  const mode = typeof health?.['mode'] === 'string' ? health['mode'] : '?'
  const endpoints = health?.['endpoints']
  const count = typeof endpoints === 'number' ? endpoints : '?'
  return `${printable(listen)}  answers, mode ${printable(mode)}, ${count} endpoints`
}
