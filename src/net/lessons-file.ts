/**
 * The lessons as a file of the state folder, which the appliance and the command share: each
 * writes it whole, and a reader sees one whole version.
 */
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LESSON_KINDS } from '../core/lessons.js'
import type { Lesson, Lessons } from '../core/lessons.js'
import { errorCodeOf } from './tls-failure.js'

const MAX_BYTES = 8 * 1024 * 1024

export const NO_LESSONS: Lessons = { lessons: [], trusting: [], root: '' }

/** `pinning.json` in the state folder. */
export function lessonsPath(stateDir: string): string {
  return join(stateDir, 'pinning.json')
}

/**
 * Tells one version of the file from another; '' when there is none.
 * @throws errors of the file system, but that there is no such file
 */
export async function lessonsVersion(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${ino} ${mtimeMs} ${size}`
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return ''
    throw error
  }
}

/**
 * Nothing when there is no file, or one that cannot be understood or is over 8 MiB;
 * entries that are no lessons are left out.
 * @throws errors of the file system, but that there is no such file
 */
export async function readLessons(path: string): Promise<Lessons> {
  try {
    if ((await stat(path)).size > MAX_BYTES) return NO_LESSONS
    const kept = JSON.parse(await readFile(path, 'utf8')) as Partial<Lessons> | null
    const { lessons, trusting, root } = kept ?? {}
    return {
      lessons: Array.isArray(lessons) ? lessons.filter(isLesson) : [],
      trusting: Array.isArray(trusting) ? trusting.filter(isText) : [],
      root: isText(root) ? root : '',
    }
  } catch (error) {
    if (error instanceof SyntaxError || errorCodeOf(error) === 'ENOENT') return NO_LESSONS
    throw error
  }
}

/**
 * Puts a new file in place of the old one in one step (rename), mode 0600. The last to
 * write wins. The folder must be there.
 * @throws errors of the file system; the old file stands then
 */
export async function writeLessons(path: string, lessons: Lessons): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  try {
    await writeFile(draft, JSON.stringify(lessons), { mode: 0o600 })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isLesson(value: unknown): value is Lesson {
  const one = value as Partial<Lesson> | null
  return (
    [one?.device, one?.name, one?.fingerprint].every(isText) &&
    LESSON_KINDS.some((kind) => kind === one?.learned) &&
    [one?.learnedAt, one?.until, one?.forMs].every(Number.isFinite)
  )
}
