/**
 * The page that a person sees in place of an answer. Plain HTML without a script, readable on
 * a phone, dark where the system is dark; everything that came from outside is escaped, and
 * the policy of the page allows nothing but its own style.
 */
import { escaped } from '../../core/html.js'
import { ASK_PATH } from '../../core/own-paths.js'
import { momentText } from '../../core/moment-text.js'
import { BLOCK_TEXTS } from './block-texts.js'
import type { BlockTexts, Language } from './block-texts.js'
import { createHash } from 'node:crypto'

export interface BlockPage {
  readonly policy: string
  readonly reason: string
  readonly requestId: string
  readonly endpoint: string
  readonly atMs: number
  /** What the household calls it, and whose it is. */
  readonly device?: string
  /** In which its time is told; undefined: the system's. */
  readonly zone?: string | undefined
  /** English unless given. */
  readonly language?: Language
  /** Of the short code that an adult approves; undefined: nobody can. */
  readonly code?: string
  /** What the household says, in place of our explanation. */
  readonly message?: string
  /** For the button that puts the code before the household; undefined: no button. */
  readonly ask?: string
  /** For the form that takes a password or PIN; undefined: no form. */
  readonly token?: string
}

/** As the trust page looks. */
const STYLE = `:root{color-scheme:light dark;--line:#d5d5cf;--soft:#55554f;--accent:#0b5c4a;--on:#fff}
*{box-sizing:border-box}
body{margin:0;padding:1rem;font:1rem/1.5 system-ui,sans-serif;background:#f6f6f4;color:#1c1c1a}
main{max-width:36rem;margin:1rem auto;padding:1.2rem;background:#fff;border:1px solid var(--line);border-radius:.6rem}
h1{margin:0 0 .8rem;font-size:1.5rem;line-height:1.2}p{margin:.6rem 0}.why{font-size:1.15rem}
dl{margin:.2rem 0 .8rem}dt{font-size:.85rem;color:var(--soft)}dd{margin:0 0 .6rem;overflow-wrap:anywhere}
code{font-size:1.25em;font-weight:600;white-space:nowrap}label{display:block}
form{margin:1.2rem 0}input,button{display:block;font:inherit;margin:.4rem 0;padding:.6rem 1rem;width:100%;max-width:20rem;border-radius:.5rem;border:1px solid var(--line)}
button{font-weight:600;border:0;background:var(--accent);color:var(--on);cursor:pointer}
details{margin-top:1rem;border-top:1px solid var(--line)}summary{padding:.6rem 0;font-weight:600;cursor:pointer}
footer{font-size:.92rem;color:var(--soft)}
a{color:inherit}a:focus-visible,button:focus-visible,summary:focus-visible,input:focus-visible{outline:3px solid #2f7fd8;outline-offset:2px}
@media(prefers-color-scheme:dark){:root{--line:#3a3a36;--soft:#b4b4ad;--accent:#7fd6bd;--on:#10211c}body{background:#161614;color:#ececea}main{background:#222220}}`

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
  const language = page.language ?? 'en'
  const says = BLOCK_TEXTS[language]
  const own = Object.hasOwn(says.why, page.policy) ? says.why[page.policy] : undefined
  const opens = opensAt(page)
  const rows: readonly (readonly [string, string])[] = [
    [says.policy, page.policy],
    [says.reason, page.reason],
    [says.service, page.endpoint],
    ...(page.device === undefined ? [] : [[says.device, page.device] as const]),
    [says.time, momentText(page.atMs, page.zone)],
    [says.request, page.requestId],
  ]
  const list = rows
    .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`)
    .join('\n')
  const main = [
    `<p class="why">${escaped(page.message ?? own ?? says.rule)}</p>`,
    ...(opens === undefined
      ? []
      : [`<p>${escaped(says.opens.replace('TIME', opens))}</p>`]),
    ...(page.code === undefined ? [] : [codeLine(says, page.code)]),
    ...(page.token === undefined ? [] : [form(says, page.token)]),
    ...(page.ask === undefined ? [] : [askForm(says, page.ask)]),
    `<details>
<summary>${escaped(says.details)}</summary>
<dl>
${list}
</dl>
<footer>${escaped(says.mistake)}</footer>
</details>`,
  ].join('\n')
  return document(says.title, main, language)
}

function codeLine({ code }: BlockTexts, value: string): string {
  const [before = '', after = ''] = code.split('CODE')
  return `<p>${escaped(before)}<code>${escaped(value)}</code>${escaped(after)}</p>`
}

/** Policies whose reason ends with the time at which they end, in the zone of the household. */
const TIMED: ReadonlySet<string> = new Set([
  'pause',
  'person_limits',
  'bedtime',
  'time_rules',
])

/** `07:00`, or with its date; undefined: it is not known. */
export function opensAt({
  policy,
  reason,
}: Pick<BlockPage, 'policy' | 'reason'>): string | undefined {
  if (!TIMED.has(policy)) return undefined
  return /(?:to|until) ((?:\d{4}-\d\d-\d\d )?\d\d:\d\d)\)?$/.exec(reason)?.[1]
}

/** What a form's sender is told; `back`: the path from which it can go on. */
export function noticePage(
  says: string,
  back?: string,
  language: Language = 'en',
): string {
  const { again } = BLOCK_TEXTS[language]
  const link =
    back === undefined ? '' : `\n<p><a href="${escaped(back)}">${escaped(again)}</a></p>`
  return document('YORI', `<p class="why">${escaped(says)}</p>${link}`, language)
}

function askForm(says: BlockTexts, token: string): string {
  return `<form method="post" action="${ASK_PATH}">
<input type="hidden" name="token" value="${escaped(token)}">
<button type="submit">${escaped(says.ask)}</button>
</form>`
}

function form(says: BlockTexts, token: string): string {
  return `<form method="post" action="/.well-known/yori/override">
<input type="hidden" name="token" value="${escaped(token)}">
<label for="password">${escaped(says.password)}</label>
<input id="password" name="password" type="password" autocomplete="off" required>
<button type="submit">${escaped(says.allow)}</button>
</form>`
}

/** `main` is markup already; `title` is ours. */
function document(title: string, main: string, language: Language): string {
  return `<!doctype html>
<html lang="${language}">
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
