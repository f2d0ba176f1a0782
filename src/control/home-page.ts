/**
 * The first page of the control plane: how YORI is, the last day, and the newest exchanges. All
 * of it is text of devices, agents and providers, and is escaped; no script, nothing inline.
 */
import { escaped } from '../core/html.js'

export interface HomeFacts {
  readonly state: 'healthy' | 'degraded'
  readonly mode: string
  /** What is wrong, a sentence each. */
  readonly concerns: readonly string[]
  readonly day: DayFacts
  /** Newest first. */
  readonly exchanges: readonly Readonly<Record<string, unknown>>[]
  /** IANA's name; undefined: this machine's. */
  readonly zone: string | undefined
  readonly nowMs: number
}

export interface DayFacts {
  readonly calls: number
  readonly blocks: number
  readonly errors: number
  readonly prompt_tokens: number
  readonly response_tokens: number
  readonly cost_micro_usd: number | null
  readonly unpriced: number
}

export const HOME_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { font-size: 1.25rem; } h2 { font-size: 1rem; margin-top: 2rem; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; list-style: none; }
.figures li { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem; padding: .5rem 1rem; min-width: 7rem; }
.figures b { display: block; font-size: 1.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; vertical-align: top; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
td.words { max-width: 28rem; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.block { color: #b3261e; font-weight: 600; }
@media (prefers-color-scheme: dark) { .block { color: #ff8a80; } }
`

const MOST_WORDS = 120

/** A whole document. */
export function homePage(facts: HomeFacts): string {
  const { state, mode, concerns, day, exchanges, nowMs } = facts
  const time = timeIn(facts.zone)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>YORI</title>
<link rel="stylesheet" href="/home.css">
</head>
<body>
<h1>YORI is ${state}, mode ${escaped(mode)}</h1>
${concerns.map((says) => `<p class="block">${escaped(says)}</p>`).join('\n')}
<h2 id="day">The last 24 hours, at ${escaped(time(nowMs))}</h2>
<ul class="figures" aria-labelledby="day">
${figuresOf(day)
  .map(([name, value]) => `<li><b>${escaped(value)}</b>${escaped(name)}</li>`)
  .join('\n')}
</ul>
<h2 id="newest">The newest exchanges</h2>
${exchanges.length === 0 ? '<p>None is recorded yet.</p>' : tableOf(exchanges, time)}
<p><a href="/api/exchanges">All of them</a>, <a href="/api/agents">agents</a>,
<a href="/api/coverage">what was seen and what was not</a>, <a href="/api/openapi">the API</a>.</p>
</body>
</html>
`
}

function figuresOf(day: DayFacts): readonly (readonly [string, string])[] {
  const tokens = day.prompt_tokens + day.response_tokens
  const cost = ((day.cost_micro_usd ?? 0) / 1e6).toFixed(2)
  return [
    ['calls of models', String(day.calls)],
    ['tokens', String(tokens)],
    [
      day.unpriced > 0 ? `US dollars, ${day.unpriced} without a price` : 'US dollars',
      cost,
    ],
    ['blocked', String(day.blocks)],
    ['failed', String(day.errors)],
  ]
}

function tableOf(
  exchanges: HomeFacts['exchanges'],
  time: (ms: number) => string,
): string {
  const heads = ['Time', 'Device', 'Model', 'First words', 'Tokens', 'Outcome']
  return `<div class="wide" role="region" aria-labelledby="newest" tabindex="0"><table>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>
${exchanges.map((row) => rowOf(row, time)).join('\n')}
</tbody></table></div>`
}

function rowOf(
  row: HomeFacts['exchanges'][number],
  time: (ms: number) => string,
): string {
  const text = (name: string): string => {
    const value = row[name]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  const outcome = text('event_type')
  const why = outcome === 'block' ? text('policy_name') : text('error_code')
  const tokens = Number(row['prompt_tokens'] ?? 0) + Number(row['response_tokens'] ?? 0)
  const words = text('prompt_preview') || `${text('http_method')} ${text('http_path')}`
  const id = encodeURIComponent(text('request_id'))
  return [
    `<tr><td><a href="/api/exchanges/${escaped(id)}">`,
    `${escaped(time(Date.parse(text('timestamp'))))}</a></td>`,
    `<td>${escaped(text('program') || text('device_hostname') || text('device_ip'))}</td>`,
    `<td>${escaped(text('model') || text('endpoint_domain'))}</td>`,
    `<td class="words">${escaped(words.slice(0, MOST_WORDS))}</td>`,
    `<td class="number">${tokens === 0 ? '' : tokens}</td>`,
    `<td${outcome === 'block' ? ' class="block"' : ''}>`,
    `${escaped([outcome, why].filter((part) => part !== '').join(': '))}</td></tr>`,
  ].join('')
}

/** An instant that cannot be read stays empty. */
function timeIn(zone: string | undefined): (ms: number) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ day: 'numeric', month: 'short' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    ...(zone === undefined ? {} : { timeZone: zone }),
  })
  return (ms) => (Number.isFinite(ms) ? format.format(ms) : '')
}
