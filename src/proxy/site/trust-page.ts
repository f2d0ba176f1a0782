/**
 * The page by which a device comes to trust YORI: the few steps for it, the certificate, its
 * fingerprint, a QR code that brings a phone here, and a test. Everything from outside is
 * escaped; nothing is loaded from anywhere; without JavaScript all of it works but the test in
 * place, which then opens a page of its own. Pure.
 */
import { createHash } from 'node:crypto'
import type { DeviceGuess } from './device-kind.js'
import { escaped } from '../../core/html.js'
import { qrCode } from './qr-code.js'
import { TRUST_SCRIPT } from './trust-script.js'
import { stepsFor, TRUST_STEPS } from './trust-steps.js'
import type { RootForm, TrustSteps } from './trust-steps.js'

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
  const { guess } = page
  const first = stepsFor(guess.kind)
  const others = TRUST_STEPS.filter((steps) => steps !== first)
  const isFirefox = guess.firefox && guess.kind !== 'firefox'
  const main = [
    '<h1>Trust YORI on this device</h1>',
    `<p>YORI shows this household what its devices ask AI services, and keeps the limits that were set. For that, this device has to trust YORI’s certificate. ${promise(page)}</p>`,
    `<p class="soft">${seenAs(page.seenAs)}</p>`,
    section(
      `On this device: ${first.title}`,
      instructions(first, page.root, test(page.testName, page.root, 'present')),
    ),
    ...(isFirefox
      ? [section('And in Firefox', instructions(stepsFor('firefox'), page.root))]
      : []),
    folded('Compare the fingerprint', fingerprint(page.root)),
    ...(page.staged === undefined ? [] : [stagedSection(page, page.staged)]),
    section('Another device', elsewhere(page.address)),
    '<h2>Other systems</h2>',
    ...others.map((steps) => folded(steps.title, instructions(steps, page.root))),
  ]
  return document(main.join('\n'), true)
}

/** What the test shows where it opens a page of its own. */
export function answeredPage(name: string): string {
  return document(
    `<h1>It works</h1>
<p class="good">This device is led through YORI and trusts it: YORI itself answered in the name of ${escaped(name)}.</p>
<p>Go back to close this page.</p>`,
    false,
  )
}

function promise({ constrained }: TrustPage): string {
  return constrained
    ? 'It can vouch for AI services and this household’s own names alone: banks, mail and all other sites are out of its reach.'
    : 'Without name constraints, as it was set up here, it could vouch for any site.'
}

function seenAs(names: readonly string[]): string {
  return names.length === 0
    ? 'YORI does not know this device yet.'
    : `YORI sees this device as ${names.map((name) => `<code>${escaped(name)}</code>`).join(', ')}.`
}

/** `last`: a step that is more than words. */
function instructions(steps: TrustSteps, root: OfferedRoot, last?: string): string {
  const items = [...steps.steps.map(withCode), ...(last === undefined ? [] : [last])]
    .map((step) => `<li>${step}</li>`)
    .join('\n')
  const besides = [steps.aside, steps.limits]
    .filter((text) => text !== undefined)
    .map((text) => `\n<p class="soft">${withCode(text)}</p>`)
  return `${downloads(root, steps.form)}
<ol>
${items}
</ol>${besides.join('')}`
}

function downloads({ path }: OfferedRoot, first: RootForm): string {
  // A profile is for devices by Apple alone, where it is the first.
  const forms: readonly RootForm[] =
    first === 'mobileconfig' ? ['cer', 'pem', 'mobileconfig'] : ['cer', 'pem']
  const others = forms
    .filter((form) => form !== first)
    .map((form) => `<a class="more" href="${path}.${form}">.${form}</a>`)
  // iOS offers to install a profile that is opened, not one that is saved.
  const saved = first === 'mobileconfig' ? '' : ' download'
  return `<p><a class="button" href="${path}.${first}"${saved}>Download .${first}</a> <span class="soft">or</span> ${others.join(' ')}</p>`
}

function fingerprint({ sha256 }: OfferedRoot): string {
  return `<p>SHA-256 of the certificate:</p>
<code class="print">${escaped(sha256)}</code>
<p class="soft">Compare it with what the device shows before it trusts the certificate, and with <code>yori ca show</code> on the machine where YORI runs.</p>`
}

function test(
  name: string | undefined,
  root: OfferedRoot,
  which: 'present' | 'next',
): string {
  if (name === undefined)
    return '<p>There is nothing to test now: no service is switched on, or YORI’s certificates cannot be used at the moment and everything passes untouched.</p>'
  const host = escaped(name)
  return `<form method="post" action="/trust/again${which === 'next' ? '?root=next' : ''}" data-test="https://${host}/.well-known/yori/self-test" data-root="${escaped(root.sha256)}">
<p>This asks <code>${host}</code>, a question that YORI answers itself: it shows whether this device is led through YORI and trusts it. The question carries a random number and nothing else.</p>
<button type="submit">Test now</button>
<p role="status"></p>
<noscript><p class="soft">Without JavaScript the answer opens as a page: “It works”, or a warning of the browser.</p></noscript>
</form>`
}

function stagedSection(
  { testName, guess }: TrustPage,
  staged: NonNullable<TrustPage['staged']>,
): string {
  const when = staged.from === undefined ? 'soon' : `on ${escaped(staged.from)}`
  return section(
    'A new certificate is on its way',
    `<p>It takes over ${when}. Install it as well, in the same way; until then either is enough.</p>
${downloads(staged, stepsFor(guess.kind).form)}
${folded('Compare its fingerprint', fingerprint(staged))}
${test(testName, staged, 'next')}`,
  )
}

function elsewhere(address: string | undefined): string {
  if (address === undefined)
    return '<p>Other devices cannot open this page: YORI listens on no address of a private network. <code>listen</code> in its configuration changes that.</p>'
  const url = escaped(address)
  return `<p>Scan this, or open <a href="${url}">${url}</a> there.</p>
${qrCode(address, `QR code of ${address}`)}
<p class="soft">Automatic proxy configuration, for devices that are led here by a proxy: <code>${url}proxy.pac</code></p>`
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

function document(main: string, scripted: boolean): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trust YORI on this device</title>
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
