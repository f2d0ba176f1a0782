/** Does a YORI answer on the addresses of the configuration? */
import { printable } from '../../audit/printable.js'
import { ask } from '../../doctor/ask-health.js'
import type { Answer } from '../../doctor/ask-health.js'
import type { Finding, StatusSection } from './status-section.js'

export const runningSection: StatusSection = {
  name: 'running',
  async read({ config }): Promise<Finding> {
    const answers = await Promise.all(config.listen.map(ask))
    const count = answers.filter((answer) => answer.answers).length
    const level = count === answers.length ? 'good' : count > 0 ? 'notice' : 'bad'
    return { level, facts: { listen: answers }, lines: answers.map(line) }
  },
}

function line({ listen, answers, health, reason }: Answer): string {
  if (!answers)
    return `${printable(listen)}  does not answer: ${printable(reason ?? '?')}`
  const mode = typeof health?.['mode'] === 'string' ? health['mode'] : '?'
  const endpoints = health?.['endpoints']
  const count = typeof endpoints === 'number' ? endpoints : '?'
  return `${printable(listen)}  answers, mode ${printable(mode)}, ${count} endpoints`
}
