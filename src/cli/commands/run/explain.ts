/** `yori explain CODE`: what a code means, whose fault it is, where to look and what to do. */
import { nearest } from '../../../../config/schema-suggest.js'
import { jsonLine } from '../../../audit/printable.js'
import { describeError, errorCodes } from '../../../core/errors.js'
import type { ErrorCode } from '../../../core/errors.js'
import { REMEDIES } from '../../../core/remedies.js'
import { Command } from '../../commander.js'
import { usage } from '../../usage.js'

const WHOSE = {
  client: 'the client or its network',
  upstream: 'the provider, or the way to it',
  operator: 'whoever runs YORI',
  internal: 'YORI itself',
} as const

interface Flags {
  readonly json?: boolean
}

export function explainCommand(print: (text: string) => void): Command {
  return new Command('explain')
    .description('what a code means, and what to do about it')
    .argument('[code]', 'as an answer, the log or the record has it; none: all of them')
    .option('--json', 'for programs')
    .action((asked: string | undefined, { json }: Flags) => {
      const codes = asked === undefined ? errorCodes : [codeAsked(asked)]
      if (json === true) for (const code of codes) print(`${jsonLine(explained(code))}\n`)
      else if (asked === undefined) for (const code of codes) print(line(code))
      else for (const code of codes) print(page(code))
    })
}

/** @throws usageError where there is no such code; it names the near one. */
function codeAsked(asked: string): ErrorCode {
  const typed = asked.toUpperCase().replaceAll('-', '_')
  const name = typed.startsWith('YORI_') ? typed : `YORI_${typed}`
  const found = errorCodes.find((code) => code === name)
  if (found !== undefined) return found
  const near = nearest(name, errorCodes)
  const meant =
    near === undefined ? 'yori explain tells all of them' : `did you mean ${near}?`
  return usage(`there is no code ${JSON.stringify(asked)}; ${meant}`)
}

function explained(code: ErrorCode): Readonly<Record<string, string | number>> {
  return { code, ...describeError(code), ...REMEDIES[code] }
}

const line = (code: ErrorCode): string => `${code}: ${describeError(code).says}\n`

function page(code: ErrorCode): string {
  const { source, status, says } = describeError(code)
  const { look, do: remedy } = REMEDIES[code]
  return [
    `${code}  ${says}`,
    `  whose   ${WHOSE[source]}`,
    `  HTTP    ${status}`,
    `  look    ${look}`,
    `  do      ${remedy}`,
    '',
  ].join('\n')
}
