/**
 * The page by which a device comes to trust YORI: the few steps for it, the certificate, its
 * fingerprint, a QR code that brings a phone here, and a test. Everything from outside is
 * escaped; nothing is loaded from anywhere; without JavaScript all of it works but the test in
 * place, which then opens a page of its own. Pure.
 */
import { createHash } from 'node:crypto'
import type { Language } from '../answers/block-texts.js'
import type { DeviceGuess } from './device-kind.js'
import { escaped } from '../../core/html.js'
import { qrCode } from './qr-code.js'
import { TRUST_SCRIPT } from './trust-script.js'
import { stepsFor, STEPS_BY_LANGUAGE } from './trust-steps.js'
import type { RootForm, TrustSteps } from './trust-steps.js'
import { TRUST_TEXTS } from './trust-texts.js'
import type { TrustTexts } from './trust-texts.js'

export interface OfferedRoot {
  /** SHA-256, `AA:BB:...`. */
  readonly sha256: string
  /** Of its files: `/yori-root`. */
  readonly path: string
}

export interface TrustPage {
  readonly guess: DeviceGuess
  /** The device as YORI sees it: its name, its address. */
  readonly seenAs: readonly string[]
  readonly root: OfferedRoot
  /** The root that waits to take over, and when. */
  readonly staged?: OfferedRoot & { readonly from: string | undefined }
  /** Can it vouch for listed names only? */
  readonly constrained: boolean
  /** The endpoint that the test asks for; undefined when there is none to ask. */
  readonly testName: string | undefined
  /** Where other devices find this page; undefined when they cannot reach it. */
  readonly address: string | undefined
  /** English unless given. */
  readonly language?: Language
}

const STYLE = `:root{color-scheme:light dark;--line:#d5d5cf;--soft:#55554f;--accent:#0b5c4a;--on:#fff;--good:#0b5c4a;--bad:#a3221b}
*{box-sizing:border-box}
body{margin:0;padding:1rem;font:1rem/1.5 system-ui,sans-serif;background:#f6f6f4;color:#1c1c1a}
main{max-width:42rem;margin:0 auto}
h1{margin:.5rem 0;font-size:1.6rem;line-height:1.2}h2{margin:0 0 .5rem;font-size:1.15rem}
section,details{background:#fff;border:1px solid var(--line);border-radius:.6rem;padding:1rem;margin:0 0 1rem}
details{padding:.2rem 1rem;margin:0 0 .5rem}a{color:inherit}summary{padding:.6rem 0;font-weight:600;cursor:pointer}
p{margin:.5rem 0}ol{margin:.5rem 0;padding-left:1.4rem}li{margin:.4rem 0}li>form,li>form>p:first-child{margin-top:0}
.soft{color:var(--soft);font-size:.92rem}
.button,button{display:inline-block;font:inherit;font-weight:600;padding:.6rem 1rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--on);text-decoration:none;cursor:pointer}
button:disabled{opacity:.6}
.more{display:inline-block;padding:.6rem .4rem;color:inherit}
code{font:.9em/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
.print{display:block;font:1rem/1.6 ui-monospace,monospace;overflow-wrap:anywhere;user-select:all}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
svg{display:block;max-width:100%;border-radius:.4rem}
a:focus-visible,button:focus-visible,summary:focus-visible{outline:3px solid #2f7fd8;outline-offset:2px}
@media(prefers-color-scheme:dark){:root{--line:#3a3a36;--soft:#b4b4ad;--accent:#7fd6bd;--on:#10211c;--good:#7fd6bd;--bad:#ff9a92}body{background:#161614;color:#ececea}section,details{background:#222220}}`

const STYLE_HASH = sha256Of(STYLE)
const SCRIPT_HASH = sha256Of(TRUST_SCRIPT)

/** Fields that go with the page: it may ask the endpoint that it tests, and nobody else. */
export function trustPageFields(testName: string | undefined): readonly string[] {
  const test = testName === undefined ? '' : ` https://${testName}`
  return [
    ...['content-type', 'text/html; charset=utf-8', 'cache-control', 'no-store'],
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; script-src 'sha256-${SCRIPT_HASH}'; ` +
      `connect-src 'self'${test}; form-action 'self'${test}; base-uri 'none'; frame-ancestors 'none'`,
    // The form says by Origin whose it is: `no-referrer` would take that away as well.
    ...['x-content-type-options', 'nosniff', 'referrer-policy', 'same-origin'],
  ]
}

export function trustPage(page: TrustPage): string {
  const { guess, language = 'en', root } = page
  const says = TRUST_TEXTS[language]
  const first = stepsFor(guess.kind, language)
  const others = STEPS_BY_LANGUAGE[language].filter((steps) => steps !== first)
  const isFirefox = guess.firefox && guess.kind !== 'firefox'
  const main = [
    `<h1>${escaped(says.title)}</h1>`,
    `<p>${escaped(says.intro)} ${escaped(page.constrained ? says.constrained : says.unconstrained)}</p>`,
    `<p class="soft">${seenAs(says, page.seenAs)}</p>`,
    section(
      filled(says.here, 'NAME', first.title),
      instructions(says, first, root, test(says, page.testName, root, 'present')),
    ),
    ...(isFirefox
      ? [section(says.firefox, instructions(says, stepsFor('firefox', language), root))]
      : []),
    folded(says.compare, fingerprint(says, root)),
    ...(page.staged === undefined
      ? []
      : [stagedSection(says, page, first.form, page.staged)]),
    section(says.another, elsewhere(says, page.address)),
    `<h2>${escaped(says.others)}</h2>`,
    ...others.map((steps) => folded(steps.title, instructions(says, steps, root))),
  ]
  return document(says.title, main.join('\n'), language, true)
}

/** What the test shows where it opens a page of its own. */
export function answeredPage(name: string, language: Language = 'en'): string {
  const says = TRUST_TEXTS[language]
  return document(
    says.title,
    `<h1>${escaped(says.works)}</h1>
<p class="good">${escaped(filled(says.worksFor, 'NAME', name))}</p>
<p>${escaped(says.back)}</p>`,
    language,
    false,
  )
}

/** `value` as it is: a replacement of a string would read its dollar signs. */
function filled(text: string, word: string, value: string): string {
  return text.replace(word, () => value)
}

function seenAs(says: TrustTexts, names: readonly string[]): string {
  if (names.length === 0) return escaped(says.unseen)
  const list = names.map((name) => `<code>${escaped(name)}</code>`).join(', ')
  return filled(escaped(says.seenAs), 'NAMES', list)
}

/** `last`: a step that is more than words. */
function instructions(
  says: TrustTexts,
  steps: TrustSteps,
  root: OfferedRoot,
  last?: string,
): string {
  const items = [...steps.steps.map(withCode), ...(last === undefined ? [] : [last])]
    .map((step) => `<li>${step}</li>`)
    .join('\n')
  const besides = [steps.aside, steps.limits]
    .filter((text) => text !== undefined)
    .map((text) => `\n<p class="soft">${withCode(text)}</p>`)
  return `${downloads(says, root, steps.form)}
<ol>
${items}
</ol>${besides.join('')}`
}

function downloads(says: TrustTexts, { path }: OfferedRoot, first: RootForm): string {
  // A profile is for devices by Apple alone, where it is the first.
  const forms: readonly RootForm[] =
    first === 'mobileconfig' ? ['cer', 'pem', 'mobileconfig'] : ['cer', 'pem']
  const others = forms
    .filter((form) => form !== first)
    .map((form) => `<a class="more" href="${path}.${form}">.${form}</a>`)
  // iOS offers to install a profile that is opened, not one that is saved.
  const saved = first === 'mobileconfig' ? '' : ' download'
  return `<p><a class="button" href="${path}.${first}"${saved}>${escaped(says.download)} .${first}</a> <span class="soft">${escaped(says.or)}</span> ${others.join(' ')}</p>`
}

function fingerprint(says: TrustTexts, { sha256 }: OfferedRoot): string {
  return `<p>${escaped(says.sha256)}</p>
<code class="print">${escaped(sha256)}</code>
<p class="soft">${withCode(says.compareWith)}</p>`
}

function test(
  says: TrustTexts,
  name: string | undefined,
  root: OfferedRoot,
  which: 'present' | 'next',
): string {
  if (name === undefined) return `<p>${escaped(says.noTest)}</p>`
  const host = escaped(name)
  return `<form method="post" action="/trust/again${which === 'next' ? '?root=next' : ''}" data-test="https://${host}/.well-known/yori/self-test" data-root="${escaped(root.sha256)}" data-says="${escaped(JSON.stringify(says.script))}">
<p>${filled(withCode(says.about), 'NAME', host)}</p>
<button type="submit">${escaped(says.button)}</button>
<p role="status"></p>
<noscript><p class="soft">${escaped(says.scriptless)}</p></noscript>
</form>`
}

function stagedSection(
  says: TrustTexts,
  { testName }: TrustPage,
  form: RootForm,
  staged: NonNullable<TrustPage['staged']>,
): string {
  const when =
    staged.from === undefined
      ? says.takesOverSoon
      : filled(says.takesOver, 'WHEN', staged.from)
  return section(
    says.staged,
    `<p>${escaped(when)}</p>
${downloads(says, staged, form)}
${folded(says.compareNext, fingerprint(says, staged))}
${test(says, testName, staged, 'next')}`,
  )
}

function elsewhere(says: TrustTexts, address: string | undefined): string {
  if (address === undefined) return `<p>${withCode(says.unreachable)}</p>`
  const url = escaped(address)
  return `<p>${filled(escaped(says.scan), 'URL', `<a href="${url}">${url}</a>`)}</p>
${qrCode(address, filled(says.qr, 'URL', address))}
<p class="soft">${filled(withCode(says.pac), 'URL', `${url}proxy.pac`)}</p>`
}

function section(title: string, body: string): string {
  return `<section>\n<h2>${escaped(title)}</h2>\n${body}\n</section>`
}

function folded(title: string, body: string): string {
  return `<details><summary>${escaped(title)}</summary>${body}</details>`
}

/** Plain text with `code` between back-ticks. */
function withCode(text: string): string {
  return text
    .split('`')
    .map((part, index) =>
      index % 2 === 1 ? `<code>${escaped(part)}</code>` : escaped(part),
    )
    .join('')
}

/** `main` is markup already. */
function document(
  title: string,
  main: string,
  language: Language,
  scripted: boolean,
): string {
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${main}
</main>
${scripted ? `<script>${TRUST_SCRIPT}</script>\n` : ''}</body>
</html>
`
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
