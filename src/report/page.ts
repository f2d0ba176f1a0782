/** A report as one HTML file without a script: for a phone, a desk, and paper. Pure. */
import { escaped } from '../core/html.js'
import { budgetOf, costOf, notSeenLines, titleOf } from './lines.js'
import type { Counted, PersonLine, Report } from './report.js'
import type { ReportWords } from './words.js'

const STYLE = `
:root{color-scheme:light dark;--ink:#1f2937;--dim:#4b5563;--line:#d1d5db;--bar:#1d4ed8;
--over:#b91c1c;--back:#fff;--card:#f9fafb}
@media(prefers-color-scheme:dark){:root{--ink:#f3f4f6;--dim:#d1d5db;--line:#4b5563;
--bar:#60a5fa;--over:#f87171;--back:#111827;--card:#1f2937}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);
max-width:60rem;margin:0 auto;padding:1.5rem 1rem;overflow-wrap:anywhere}
h1{font-size:1.75rem;line-height:1.2;margin:0}h2{font-size:1.2rem;margin:2rem 0 .5rem}
h3{font-size:1.1rem;margin:0}p{margin:.25rem 0}.dim{color:var(--dim)}
.big{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:1rem 0;padding:0;list-style:none}
.big b{display:block;font-size:1.6rem;line-height:1.2;font-variant-numeric:tabular-nums}
.people{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18rem),1fr));
gap:1rem;padding:0;margin:0;list-style:none}
.people>li{border:1px solid var(--line);border-radius:.5rem;padding:1rem;background:var(--card)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem .75rem;margin:.5rem 0 0}
dt{color:var(--dim)}dd{margin:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:normal;white-space:nowrap;padding:.15rem .75rem .15rem 0;width:1%}
td{padding:.15rem 0}td.n{white-space:nowrap;text-align:right;padding-left:.75rem;width:1%}
.bar{display:block;height:.9rem;min-width:2px;background:var(--bar);border-radius:2px}
.over{background:var(--over)}
.hours{display:flex;align-items:flex-end;height:6rem;gap:2px;border-bottom:1px solid var(--line)}
.hours i{flex:1;background:var(--bar);border-radius:2px 2px 0 0}
.clock{display:flex;justify-content:space-between;color:var(--dim);font-size:.85rem}
ul.plain{padding-left:1.2rem;margin:.25rem 0}
@page{margin:15mm}
@media print{:root{color-scheme:light;--ink:#000;--dim:#374151;--line:#9ca3af;--bar:#374151;
--over:#000;--back:#fff;--card:#fff}body{padding:0;max-width:none;font-size:10.5pt}
.bar,.hours i{-webkit-print-color-adjust:exact;print-color-adjust:exact}
h2{break-after:avoid}li,tr,.hours{break-inside:avoid}}
`

export function reportPage(report: Report, words: ReportWords): string {
  const { total, people, days, blocked, asked } = report
  const title = titleOf(report, words)
  const body = [
    `<header><h1>${escaped(title)}</h1>`,
    `<p class="dim">${escaped(words.range(report))}</p></header>`,
    people.length === 0
      ? `<p>${escaped(words.say('nothing'))}</p>`
      : bigOf(report, words),
    people.length === 0
      ? ''
      : section(
          words.say('who'),
          `<ul class="people">${people.map((line) => personOf(line, words)).join('')}</ul>`,
        ),
    days.length === 0
      ? ''
      : section(
          words.say('days'),
          barsOf(
            days.map(({ date, minutes }) => ({
              label: words.day(date),
              value: minutes,
              text: words.span(minutes),
            })),
          ),
        ),
    total.messages === 0 ? '' : section(words.say('hours'), hoursOf(report, words)),
    report.topics.length === 0
      ? ''
      : section(
          words.say('topics'),
          barsOf(
            report.topics.map(({ name, count }) => ({
              label: words.say(name),
              value: count,
              text: words.count(count),
            })),
          ) + `<p class="dim">${escaped(words.say('topicsHow'))}</p>`,
        ),
    section(
      words.say('refused'),
      listOf(
        blocked.map(
          ({ who, policy, reason, count }) =>
            `<b>${escaped(who)}</b>, ${escaped(policy)}, ${escaped(words.times(count))}: ` +
            escaped(reason),
        ),
        words,
      ),
    ),
    section(
      words.say('asked'),
      listOf(
        asked.map(
          ({ atMs, who, policy, said, by }) =>
            `${escaped(words.moment(atMs))}: <b>${escaped(who)}</b>, ${escaped(policy)}: ` +
            escaped(words.say(said, { by })),
        ),
        words,
      ),
    ),
    section(
      words.say('notSeen'),
      listOf(notSeenLines(report, words).map(escaped), words),
    ),
    `<footer class="dim"><p>${escaped(words.say('how'))}</p></footer>`,
  ]
  return [
    `<!doctype html>\n<html lang="${words.language}"><head><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body>`,
    ...body.filter((part) => part !== ''),
    '</body></html>\n',
  ].join('\n')
}

function section(title: string, inside: string): string {
  return `<section><h2>${escaped(title)}</h2>${inside}</section>`
}

function bigOf({ total }: Report, words: ReportWords): string {
  const cells: [string, string][] = [
    [words.span(total.minutes), words.say('time')],
    [words.count(total.messages), words.say('messages')],
    [words.usd(total.costUsd), words.say('cost')],
    [words.count(total.blocked), words.say('refused')],
  ]
  const items = cells.map(
    ([big, small]) =>
      `<li><b>${escaped(big)}</b><span class="dim">${escaped(small)}</span></li>`,
  )
  return `<ul class="big">${items.join('')}</ul>`
}

function personOf(line: PersonLine, words: ReportWords): string {
  const { name, devices, minutes, messages, services, topics, blocked, budget } = line
  const named = (of: readonly Counted[], said: (name: string) => string): string =>
    of.map((one) => `${said(one.name)} (${words.count(one.count)})`).join(', ')
  const rows: [string, string][] = [
    [words.say('time'), words.span(minutes)],
    [words.say('messages'), words.count(messages)],
    [words.say('services'), named(services, (service) => service)],
    [words.say('topics'), named(topics, (topic) => words.say(topic as 'home'))],
    [words.say('cost'), costOf(line, words)],
    [words.say('budget'), budgetOf(line, words)],
    [words.say('refused'), blocked === 0 ? '' : words.times(blocked)],
  ]
  const shown = rows
    .filter(([, text]) => text !== '')
    .map(([term, text]) => `<dt>${escaped(term)}</dt><dd>${escaped(text)}</dd>`)
  const share =
    budget === undefined || budget.usd === 0 ? 0 : budget.spentUsd / budget.usd
  return [
    `<li><h3>${escaped(name)}</h3>`,
    line.isPerson ? `<p class="dim">${escaped(devices.join(', '))}</p>` : '',
    `<dl>${shown.join('')}</dl>`,
    budget === undefined ? '' : `<p>${bar(share, share >= 0.8)}</p>`,
    '</li>',
  ].join('')
}

interface Bar {
  readonly label: string
  readonly value: number
  readonly text: string
}

function barsOf(bars: readonly Bar[]): string {
  const longest = Math.max(1, ...bars.map(({ value }) => value))
  const rows = bars.map(
    ({ label, value, text }) =>
      `<tr><th scope="row">${escaped(label)}</th><td>${bar(value / longest)}</td>` +
      `<td class="n">${escaped(text)}</td></tr>`,
  )
  return `<table>${rows.join('')}</table>`
}

function bar(share: number, isOver = false): string {
  const percent = Math.round(Math.min(1, share) * 1000) / 10
  return `<span class="bar${isOver ? ' over' : ''}" style="width:${percent}%"></span>`
}

function hoursOf({ hours }: Report, words: ReportWords): string {
  const most = Math.max(1, ...hours)
  const bars = hours.map((count, hour) => {
    const height = Math.round((count / most) * 1000) / 10
    const says = `${hour}:00: ${words.count(count)}`
    return `<i style="height:${height}%" title="${escaped(says)}"></i>`
  })
  const busiest = hours.indexOf(Math.max(...hours))
  const label = `${words.say('hours')}: ${busiest}:00 (${words.count(hours[busiest] ?? 0)})`
  const clock = [0, 6, 12, 18, 24].map((hour) => `<span>${hour}</span>`).join('')
  return (
    `<div class="hours" role="img" aria-label="${escaped(label)}">${bars.join('')}</div>` +
    `<div class="clock">${clock}</div>`
  )
}

/** Of lines that are HTML already. */
function listOf(lines: readonly string[], words: ReportWords): string {
  if (lines.length === 0) return `<p class="dim">${escaped(words.say('none'))}</p>`
  return `<ul class="plain">${lines.map((line) => `<li>${line}</li>`).join('')}</ul>`
}
