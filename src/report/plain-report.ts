/** A report as text: for a terminal, and for mail that shows no HTML. Pure. */
import { printable } from '../audit/printable.js'
import { budgetOf, costOf, notSeenLines, titleOf } from './lines.js'
import type { PersonLine, Report } from './report.js'
import type { ReportWords } from './words.js'

export function plainReport(report: Report, words: ReportWords): string {
  const { total, people, days, blocked, asked } = report
  const lines = [`${titleOf(report, words)}, ${words.range(report)}`, '']
  if (people.length === 0) lines.push(words.say('nothing'), '')
  for (const line of people) lines.push(...personLines(line, words), '')
  if (people.length > 1) {
    const amounts = [
      words.span(total.minutes),
      `${words.count(total.messages)} ${words.say('messages')}`,
    ]
    lines.push(
      `${words.say('all')}: ${[...amounts, costOf(total, words)].join(' · ')}`,
      '',
    )
  }
  section(
    words.say('days'),
    days.map(
      ({ date, minutes, messages }) =>
        `${words.day(date)}: ${words.span(minutes)}, ${words.count(messages)}`,
    ),
  )
  section(
    words.say('refused'),
    blocked.map(
      ({ who, policy, reason, count }) =>
        `${who}: ${policy}, ${words.times(count)}: ${reason}`,
    ),
  )
  section(
    words.say('asked'),
    asked.map(
      ({ atMs, who, policy, said, by }) =>
        `${words.moment(atMs)}: ${who}, ${policy}: ${words.say(said, { by })}`,
    ),
  )
  section(words.say('notSeen'), notSeenLines(report, words))
  lines.push(words.say('how'))
  return `${lines.map(printable).join('\n')}\n`

  function section(title: string, items: readonly string[]): void {
    if (items.length === 0) return
    lines.push(title, ...items.map((item) => `  ${item}`), '')
  }
}

function personLines(line: PersonLine, words: ReportWords): string[] {
  const { name, devices, minutes, messages, services, topics, blocked } = line
  const of = line.isPerson ? ` (${devices.join(', ')})` : ''
  const amounts = [
    words.span(minutes),
    `${words.count(messages)} ${words.say('messages')}`,
    costOf(line, words),
  ]
  const lines = [`${name}${of}: ${amounts.join(' · ')}`]
  const named = (title: string, text: string): void => {
    if (text !== '') lines.push(`  ${title}: ${text}`)
  }
  named(words.say('budget'), budgetOf(line, words))
  named(
    words.say('services'),
    services.map((one) => `${one.name} (${words.count(one.count)})`).join(', '),
  )
  named(
    words.say('topics'),
    topics.map((one) => `${words.say(one.name)} (${words.count(one.count)})`).join(', '),
  )
  if (blocked > 0) named(words.say('refused'), words.times(blocked))
  return lines
}
