/** The results as the page `docs/AGENTS.md`. Pure. */
import type { Check, Installed } from './programs.js'
import type { Verdict } from './verdict.js'

export interface Result {
  readonly name: string
  readonly how: string
  readonly installed: Installed | undefined
  readonly verdict: Verdict | undefined
  /** Of one that could not run: what was seen. */
  readonly seen: string
}

const HEADS: readonly (readonly [Check, string])[] = [
  ['answer', 'same answer'],
  ['harmless', 'no block row'],
  ['row', 'model and tokens'],
  ['blocked', 'one block row'],
  ['sentence', 'told why'],
]

export function page(results: readonly Result[], madeBy: string): string {
  const ran = results.filter(({ verdict }) => verdict?.ran === true)
  const others = results.filter(({ verdict }) => verdict?.ran !== true)
  const lines = [
    '# Programs that were run through YORI',
    '',
    'Written by `npm run agents`. Each program ran unmodified and with its own transport, behind',
    'a firewall that redirects port 443, against an origin that answers in its provider’s shape:',
    'a harmless prompt without YORI, in observe and in enforce with `privacy` set to block, and a',
    'prompt with a card number in enforce. *Same answer*: byte for byte the same output as without',
    'YORI. *Model and tokens*: one row names them as the provider said. *Told why*: our sentence',
    'is in what the program shows.',
    '',
    `Run with ${madeBy}.`,
    '',
    `| program | version | licence | how | ${HEADS.map(([, head]) => head).join(' | ')} |`,
    `| --- | --- | --- | --- | ${HEADS.map(() => '---').join(' | ')} |`,
    ...ran.map(({ name, how, installed, verdict }) => {
      const marks = HEADS.map(([check]) => (verdict?.[check] === true ? 'yes' : '**no**'))
      const about = [installed?.version ?? '', installed?.licence ?? '']
      return `| ${[name, ...about.map(cell), how, ...marks].join(' | ')} |`
    }),
    '',
  ]
  if (others.length > 0)
    lines.push(
      'What could not run, and what was seen:',
      '',
      ...others.map(({ name, seen }) => `- ${name}: ${cell(seen)}`),
      '',
    )
  return lines.join('\n')
}

function cell(text: string): string {
  return text.replace(/[|\n`<>]/g, ' ')
}
