/** `yori detect`: what would be found in a text, where, how surely, and by what. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { formatProblem } from '../../../../config/problem.js'
import { loadRules } from '../../../../config/read-detect.js'
import { printable } from '../../../audit/printable.js'
import { YoriError } from '../../../core/errors.js'
import { inSlices } from '../../../core/resting.js'
import type { Detector } from '../../../detect/detector.js'
import { lookedAt } from '../../../detect/look.js'
import type { Finding } from '../../../detect/rule.js'
import { Command } from '../../commander.js'
import { table } from '../../print-table.js'
import { usage } from '../../usage.js'

export interface DetectCommandDeps {
  readonly stdin: Readable
  readonly print: (text: string) => void
}

interface Flags {
  readonly lines?: boolean
  readonly rules?: string
  readonly said?: string
  readonly all?: boolean
  readonly json?: boolean
}

/** Longest text, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024

export function detectCommand(deps: DetectCommandDeps): Command {
  return new Command('detect')
    .description('what would be found in a text, and why')
    .argument('<file>', 'the text; - for what is piped in')
    .option('--lines', 'a JSON row with id, text and perhaps said a line; one a line out')
    .option('--rules <file>', 'rules of your own over those that YORI brings')
    .option('--said <who>', 'whose words they are: person or tool', 'person')
    .option('--all', 'what nobody would act on, too')
    .option('--json', 'for programs')
    .action((file: string, flags: Flags) => detect(deps, file, flags))
}

async function detect(
  deps: DetectCommandDeps,
  file: string,
  flags: Flags,
): Promise<void> {
  if (flags.said !== 'person' && flags.said !== 'tool') usage('--said is person or tool')
  const loaded = loadRules(flags.rules)
  if (loaded.kind === 'invalid')
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      loaded.problems.map(formatProblem).join('\n'),
    )
  const look = looking(loaded.detector, flags)
  if (flags.lines === true) return eachLine(deps, file, flags, look)
  const text = await readText(deps, file)
  const found = await look(text, flags.said)
  if (flags.json === true) return deps.print(`${JSON.stringify({ findings: found })}\n`)
  if (found.length === 0) return deps.print('nothing was found\n')
  const head = ['line', 'class', 'kind', 'sure', 'rule', 'why', 'text']
  const rows = found.map((one) => cells(text, one))
  for (const line of table(head, rows)) deps.print(line)
}

type Look = (text: string, said: 'person' | 'tool') => Promise<readonly Finding[]>

function looking(detector: Detector, flags: Flags): Look {
  const unsure = flags.all === true
  return async (text, said) =>
    (await inSlices(lookedAt(text, detector, { said, unsure }))) ?? []
}

/** Enough of it to know it by, and no more. */
const SHOWN_CHARS = 6

function cells(text: string, { start, end, confidence, ...one }: Finding): string[] {
  const line = text.slice(0, start).split('\n').length
  const found = text.slice(start, end)
  const shown =
    one.class === 'injection'
      ? found.slice(0, 60)
      : `${found.slice(0, SHOWN_CHARS)}${found.length > SHOWN_CHARS ? '...' : ''}`
  return [
    ...[String(line), one.class, one.kind, confidence.toFixed(2), one.rule, one.why],
    printable(shown),
  ]
}

async function readText({ stdin }: DetectCommandDeps, file: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const source = file === '-' ? stdin : createReadStream(file)
  for await (const chunk of source as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BYTES) usage(`the text is longer than ${MAX_BYTES} bytes`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks).toString()
}

async function eachLine(
  { stdin, print }: DetectCommandDeps,
  file: string,
  { said: otherwise }: Flags,
  look: Look,
): Promise<void> {
  const handle = file === '-' ? undefined : await open(file)
  const input = handle === undefined ? stdin : handle.createReadStream()
  let number = 0
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    number++
    if (line.trim() === '') continue
    const { id, text, said } = rowOf(line, number)
    const who = said ?? (otherwise === 'tool' ? 'tool' : 'person')
    const findings = (await look(text, who)).map(
      ({ class: of, kind, start, end, confidence }) => ({
        ...{ class: of, kind, start, end, confidence },
      }),
    )
    print(`${JSON.stringify({ id, findings })}\n`)
  }
}

interface LineRow {
  readonly id: unknown
  readonly text: string
  readonly said: 'person' | 'tool' | undefined
}

function rowOf(line: string, number: number): LineRow {
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch {
    usage(`line ${number} is no JSON`)
  }
  const { id, text, said } = row as { id?: unknown; text?: unknown; said?: unknown }
  if (typeof text !== 'string') usage(`line ${number} has no text`)
  if (said !== undefined && said !== null && said !== 'person' && said !== 'tool')
    usage(`line ${number}: said is person or tool`)
  return { id, text, said: said ?? undefined }
}
