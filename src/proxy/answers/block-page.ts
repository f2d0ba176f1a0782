/**
 * The page that a person sees in place of an answer. Plain HTML without a script, readable on
 * a phone, dark where the system is dark; everything that came from outside is escaped, and
 * the policy of the page allows nothing but its own style.
 */
import { escaped } from '../../core/html.js'
import { createHash } from 'node:crypto'

export interface BlockPage {
  readonly policy: string
  readonly reason: string
  readonly requestId: string
  readonly endpoint: string
  readonly atMs: number
  /** Of the short code that an adult approves; undefined: nobody can. */
  readonly code?: string
  /** What the household says, in place of our explanation. */
  readonly message?: string
  /** For the form that takes a password or PIN; undefined: no form. */
  readonly token?: string
}

const TITLE = 'Request Blocked by YORI'

const TOO_MANY = 'There have been too many requests. Try again later.'

/** What a person is told about a policy, besides its reason. */
const EXPLANATIONS: ReadonlyMap<string, string> = new Map([
  ['default', 'Requests to AI services are not allowed here at the moment.'],
  ['bedtime', 'AI services are closed at night. They open again in the morning.'],
  ['time_rules', 'AI services are closed at this time.'],
  [
    'privacy',
    'The request seems to hold personal data, which is not to leave this network.',
  ],
  ['rate_limit', TOO_MANY],
  ['hourly_quota', TOO_MANY],
  ['high_usage', TOO_MANY],
  [
    'daily_allowance',
    'What is allowed for one day has been used up. It begins anew tomorrow.',
  ],
  ['budget', 'What may be spent on AI services has been spent.'],
  ['cost_limit', 'What may be spent on AI services has been spent.'],
  ['content_filter', 'What was asked is not allowed here.'],
  ['parental', 'What was asked is not for this device.'],
  ['homework_helper', 'AI services are not to do homework at this time.'],
  ['prompt_length', 'What was asked is too long.'],
  ['tool_guard', 'The application offers the model a tool that is not allowed here.'],
  ['agent_governor', 'The application has gone on for longer than it may by itself.'],
  ['model_allowlist', 'This model is not among those that are allowed here.'],
  ['uninspectable', 'The request could not be checked, so it was not sent.'],
])

const STYLE = `:root{color-scheme:light dark}
body{margin:0;padding:1.5rem;font:1rem/1.5 system-ui,sans-serif;background:#f6f6f4;color:#1c1c1a}
main{max-width:36rem;margin:0 auto;padding:1.5rem;background:#fff;border-top:.3rem solid #b3261e;border-radius:.4rem}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.2}
dl{margin:1.5rem 0}dt{font-size:.85rem;opacity:.75}dd{margin:0 0 .75rem;overflow-wrap:anywhere}
code{font-size:1.25em;font-weight:600}label{display:block}
form{margin:1.5rem 0}input,button{display:block;font:inherit;margin:.4rem 0;padding:.6rem;box-sizing:border-box;width:100%;max-width:20rem}
footer{margin-top:1.5rem;font-size:.85rem;opacity:.75}
@media(prefers-color-scheme:dark){body{background:#161614;color:#ececea}main{background:#242422}}`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** Fields that go with the page. */
export const BLOCK_PAGE_FIELDS: readonly string[] = [
  ...['content-type', 'text/html; charset=utf-8', 'cache-control', 'no-store'],
  'content-security-policy',
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; ` +
    "form-action 'self'; frame-ancestors 'none'",
  // With `no-referrer` the form's Origin would be null, and be refused as another site's.
  ...['x-content-type-options', 'nosniff', 'referrer-policy', 'same-origin'],
]

export function blockPage(page: BlockPage): string {
  const explanation =
    page.message ?? EXPLANATIONS.get(page.policy) ?? 'A rule of this network stopped it.'
  const rows: readonly (readonly [string, string])[] = [
    ['Policy', page.policy],
    ['Reason', page.reason],
    ['Service', page.endpoint],
    ['Time', `${new Date(page.atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    ['Request ID', page.requestId],
  ]
  const list = rows
    .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
    .join('\n')
  const code =
    page.code === undefined
      ? ''
      : `\n<p>An adult can allow it: the code is <code>${escaped(page.code)}</code>.</p>`
  const main = `<p>${escaped(explanation)}</p>${code}${form(page.token)}
<dl>
${list}
</dl>
<footer>Is this a mistake? Please contact your network administrator and give the request ID.</footer>`
  return document(TITLE, main)
}

/** What the form's sender is told; `back`: the path from which it can go on. */
export function noticePage(says: string, back?: string): string {
  const link =
    back === undefined ? '' : `\n<p><a href="${escaped(back)}">Try again</a></p>`
  return document('YORI', `<p>${escaped(says)}</p>${link}`)
}

function form(token: string | undefined): string {
  if (token === undefined) return ''
  return `
<form method="post" action="/.well-known/yori/override">
<input type="hidden" name="token" value="${escaped(token)}">
<label for="password">Password or PIN of an adult</label>
<input id="password" name="password" type="password" autocomplete="off" required>
<button type="submit">Allow</button>
</form>`
}

/** `main` is markup already; `title` is ours. */
function document(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>
`
}
