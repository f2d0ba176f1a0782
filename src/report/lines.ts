/** What the forms of a report say in the same words: costs, budgets, what was not seen. Pure. */
import type { CoverageGroup } from '../core/coverage.js'
import type { Amount, PersonLine, Report } from './report.js'
import type { ReportText, ReportWords } from './words.js'

/** In the household's language; what is rarer stays as YORI says it everywhere. */
const REASONS: Readonly<Record<string, ReportText>> = {
  'tunnel-pinned': 'pinned',
  'tunnel-not-trusted': 'untrusted',
  'tunnel-not-endpoint': 'elsewhere',
  'tunnel-exempt': 'exempt',
  'tunnel-ech': 'hidden',
  'tunnel-no-sni': 'hidden',
}

/** Of these the reason is a code, whose words follow. */
const GROUPS: Readonly<Partial<Record<CoverageGroup, ReportText>>> = {
  refused: 'refusedThere',
  failed: 'failedThere',
}

export function titleOf({ person }: Report, words: ReportWords): string {
  return person === null ? words.say('title') : words.say('of', { name: person })
}

export function costOf(
  { costUsd, atMostUsd, unpriced }: Amount,
  words: ReportWords,
): string {
  const parts = [words.usd(costUsd)]
  if (atMostUsd > 0) parts.push(words.say('upTo', { more: words.usd(atMostUsd) }))
  if (unpriced > 0) parts.push(words.say('unknownPrice', { n: words.count(unpriced) }))
  return parts.join(', ')
}

export function budgetOf({ budget }: PersonLine, words: ReportWords): string {
  if (budget === undefined) return ''
  const { usd, spentUsd } = budget
  const percent = words.percent(usd === 0 ? 0 : spentUsd / usd)
  return words.say('spent', { spent: words.usd(spentUsd), usd: words.usd(usd), percent })
}

export function notSeenLines({ notSeen, cut }: Report, words: ReportWords): string[] {
  const { since, connections, seen, reasons, unread, dropped } = notSeen
  const lines: string[] = []
  if (since !== null) {
    const counts = { seen: words.count(seen), all: words.count(connections) }
    lines.push(words.say('seenOf', { ...counts, since: words.day(since) }))
  }
  for (const { group, reason, says, count } of reasons) {
    const text = REASONS[reason]
    const ended = GROUPS[group]
    const how = ended === undefined ? says : `${words.say(ended)}: ${says}`
    lines.push(`${words.count(count)}: ${text === undefined ? how : words.say(text)}`)
  }
  for (const { name, count } of unread)
    lines.push(words.say('unread', { name, n: words.count(count) }))
  if (dropped > 0) lines.push(words.say('dropped', { n: words.count(dropped) }))
  lines.push(words.say('beyond'))
  if (cut.length > 0) lines.push(words.say('cut', { what: cut.join(', ') }))
  return lines
}
