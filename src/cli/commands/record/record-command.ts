/**
 * `yori record`: whole exchanges of the running YORI, a file each. The running one tells what
 * passes; here it is put together, sanitised and written, so that nothing else of this machine
 * waits for it.
 */
import { Command, InvalidArgumentError } from '../../commander.js'
import { FrameReader } from '../../../replay/frames.js'
import type { LeftOut } from '../../../replay/frames.js'
import type { Detector } from '../../../detect/detector.js'
import { RecordingBuilder } from '../../../replay/recording-builder.js'
import { openRecordings, writeRecording } from '../../../replay/recording-files.js'
import { Sanitiser } from '../../../replay/sanitiser.js'
import { printable } from '../../../audit/printable.js'
import { YoriError } from '../../../core/errors.js'
import type { Telling } from '../../recording-door.js'

export interface RecordDeps {
  /** Asks the running YORI to tell whole exchanges. @throws YORI_STATE_UNUSABLE */
  readonly listen: (
    configPath: string | undefined,
    asked: { readonly filter: Readonly<Record<string, string>>; max_body_bytes: number },
  ) => Promise<Telling>
  readonly detector: () => Promise<Detector>
  /** Resolves when it is to end. */
  readonly ended: () => Promise<unknown>
  print(text: string): void
  note(text: string): void
}

interface Flags {
  readonly config?: string
  readonly to: string
  readonly device?: string
  readonly endpoint?: string
  readonly provider?: string
  readonly model?: string
  readonly session?: string
  readonly program?: string
  readonly outcome?: string
  readonly maxBody: number
  readonly keepPersonalData?: true
  readonly json?: true
}

const MIB = 1024 * 1024
const FILTERS = [
  ...(['device', 'endpoint', 'provider', 'model', 'session', 'program'] as const),
  'outcome',
] as const

export function recordCommand(deps: RecordDeps): Command {
  return new Command('record')
    .description('record whole exchanges until Ctrl-C, for yori replay')
    .requiredOption('--to <dir>', 'the folder, made where there is none')
    .option('--device <device>', 'only of this device: its address, MAC or name')
    .option('--endpoint <domain>', 'only of this host')
    .option('--provider <name>', 'only of this provider')
    .option('--model <model>', 'only of this model')
    .option('--session <id>', 'only of this conversation')
    .option('--program <name>', 'only of this program of this machine')
    .option('--outcome <outcome>', 'only response, block or error')
    .option('--max-body <mib>', 'of each body, in MiB', sizeOf, 100)
    .option('--keep-personal-data', 'take out credentials alone')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'say at the end what was recorded, for programs')
    .action((flags: Flags) => record(deps, flags))
}

function sizeOf(text: string): number {
  const mib = Number(text)
  if (!/^\d{1,4}$/.test(text) || mib > 1024)
    throw new InvalidArgumentError('It is a whole number of MiB, up to 1024.')
  return mib
}

async function record(deps: RecordDeps, flags: Flags): Promise<void> {
  const level = flags.keepPersonalData === true ? 'credentials' : 'all'
  const sanitiser = new Sanitiser(await deps.detector(), level)
  const filter: Record<string, string> = {}
  for (const name of FILTERS) {
    const value = flags[name]
    if (value !== undefined) filter[name] = value
  }
  const telling = await deps.listen(flags.config, {
    filter,
    max_body_bytes: flags.maxBody * MIB,
  })
  // Not before: whoever sees the folder is recorded.
  try {
    openRecordings(flags.to)
  } catch (cause) {
    const over = telling.each(() => undefined)
    await telling.stop()
    await over
    throw cause
  }
  const counts = new Counts()
  let writing: Promise<void> = Promise.resolve()
  let failure: Error | undefined
  const builder = new RecordingBuilder({
    sanitiser,
    recorded: (recording) => {
      writing = writing
        .then(() => writeRecording(flags.to, recording))
        .then(() =>
          counts.recorded(recording.request.isWhole && !recording.response?.isCut),
        )
        .catch((cause: unknown) => {
          const error = cause instanceof Error ? cause : new Error(String(cause))
          counts.leftOut('unwritten')
          if (failure !== undefined) return
          failure = error
          deps.note(
            `yori: an exchange could not be written, and is lost: ${printable(error.message)}; the next is tried again\n`,
          )
        })
    },
    leftOut: (why) => counts.leftOut(why),
  })
  let open = 0
  const reader = new FrameReader((frame, bytes) => {
    if (frame.kind === 'stopped') open = frame.open
    builder.take(frame, bytes)
  })
  deps.note(`yori: recording to ${flags.to}; Ctrl-C ends it\n`)
  const stopped = deps.ended().then(() => telling.stop())
  const end = await telling.each((chunk) => reader.push(chunk))
  if (end === 'asked') await stopped
  await builder.settled()
  await writing
  counts.open = Math.max(open, builder.underway)
  if (flags.json === true) deps.print(`${JSON.stringify(counts.told())}\n`)
  else deps.print(counts.text(flags.to))
  if (failure !== undefined) throw failure
  if (end !== 'asked')
    throw new YoriError(
      'YORI_STATE_UNUSABLE',
      'the running YORI has ended, and the recording with it; what was told is written',
    )
}

type Left = LeftOut | 'unreadable' | 'unwritten'

const WHY: Readonly<Record<Left, string>> = {
  websocket: 'WebSockets',
  slow: 'came faster than they could be taken',
  filter: 'asked for otherwise',
  'too-many': 'were too many at once',
  unreadable: 'could not be read',
  unwritten: 'could not be written',
}

class Counts {
  open = 0
  #recorded = 0
  #cut = 0
  readonly #left = new Map<Left, number>()

  recorded(isWhole: boolean): void {
    this.#recorded++
    if (!isWhole) this.#cut++
  }

  leftOut(why: Left): void {
    if (why !== 'filter') this.#left.set(why, (this.#left.get(why) ?? 0) + 1)
  }

  told(): Readonly<Record<string, unknown>> {
    return {
      recorded: this.#recorded,
      truncated: this.#cut,
      under_way: this.open,
      left_out: Object.fromEntries(this.#left),
    }
  }

  text(folder: string): string {
    const many = this.#recorded === 1 ? 'exchange' : 'exchanges'
    const parts = [`${this.#recorded} ${many} recorded in ${folder}`]
    if (this.#cut > 0) parts.push(`${this.#cut} of them not to their end`)
    if (this.open > 0) parts.push(`${this.open} had not ended, and are not recorded`)
    for (const [why, count] of this.#left) parts.push(`${count} left out: ${WHY[why]}`)
    return `yori: ${parts.join('; ')}\n`
  }
}
