/** `yori pinning`: which programs would not have our certificate, and forgetting that. */
import { Command } from 'commander'
import type { Clock } from '../../../core/clock.js'
import { wayOut } from '../../../core/coverage.js'
import { momentText } from '../../../core/moment-text.js'
import { LESSON_KINDS } from '../../../core/lessons.js'
import type { Lesson, LessonKind } from '../../../core/lessons.js'
import { lessonsPath, readLessons, writeLessons } from '../../../net/lessons-file.js'

export interface PinningDeps {
  readonly stateDir: (config: string | undefined) => string
  /** In which people read times; the system's when left out. */
  readonly zone?: (config: string | undefined) => string | undefined
  readonly clock: Clock
  readonly print: (text: string) => void
  readonly note?: (text: string) => void
}

interface Flags {
  readonly config?: string
  readonly json?: true
  readonly device?: string
}

export function pinningCommand(deps: PinningDeps): Command {
  const pinning = new Command('pinning').description(
    'programs that do not accept inspection and pass untouched',
  )
  pinning
    .command('list')
    .description('what was learned, and until when it holds')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'for programs')
    .action((flags: Flags) => list(deps, flags))
  pinning
    .command('clear')
    .description('forget: the next connection is inspected again')
    .argument('[name]', 'only this host name')
    .option('--device <mac-or-ip>', 'only this device')
    .option('-c, --config <file>', 'configuration file')
    .action((name: string | undefined, flags: Flags) => clear(deps, name, flags))
  return pinning
}

async function list(deps: PinningDeps, flags: Flags): Promise<void> {
  deps.note?.('yori: told from the files\n')
  const { lessons } = await readLessons(lessonsPath(deps.stateDir(flags.config)))
  if (flags.json === true) {
    deps.print(`${JSON.stringify(lessons, undefined, 2)}\n`)
    return
  }
  if (lessons.length === 0) deps.print('Nothing: no program has turned YORI away.\n')
  const [nowMs, zone] = [deps.clock.now(), deps.zone?.(flags.config)]
  for (const lesson of lessons) deps.print(`${line(lesson, nowMs, zone)}\n`)
  for (const kind of LESSON_KINDS)
    if (lessons.some(({ learned }) => learned === kind))
      deps.print(`${WORDS[kind]}: ${wayOut(kind) ?? ''}\n`)
}

const WORDS: Readonly<Record<LessonKind, string>> = {
  'tunnel-pinned': 'pinned',
  'tunnel-not-trusted': 'not trusted yet',
  'tunnel-clock': 'its clock is wrong',
}

function line(lesson: Lesson, nowMs: number, zone: string | undefined): string {
  const { device, name, fingerprint, learned, until } = lesson
  const why = WORDS[learned]
  const when =
    until > nowMs
      ? `until ${momentText(until, zone)}`
      : 'tested again at its next connection'
  return `${device}  ${name}  ${why}  ${when}  (${fingerprint})`
}

async function clear(
  deps: PinningDeps,
  name: string | undefined,
  flags: Flags,
): Promise<void> {
  const path = lessonsPath(deps.stateDir(flags.config))
  const before = await readLessons(path)
  const lessons = before.lessons.filter(
    (lesson) =>
      (name !== undefined && lesson.name !== name.toLowerCase()) ||
      (flags.device !== undefined && lesson.device !== flags.device.toLowerCase()),
  )
  const gone = before.lessons.length - lessons.length
  if (gone > 0) await writeLessons(path, { ...before, lessons })
  deps.print(`${gone} forgotten; a running YORI notices within a second or two.\n`)
}
