/**
 * Folders of recordings: how one is made so that nobody else may read it, how a recording comes
 * into it whole or not at all, and how all of it are read again.
 */
import { chmodSync, readdirSync, statSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../core/make-folder.js'
import { YoriError } from '../core/errors.js'
import { readLines } from './recorded-lines.js'
import { readRecording, recordingText } from './recording.js'
import type { Recording } from './recording.js'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
const OTHERS = 0o077
/** Longer files are no recordings of ours. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024
const MAX_FILES = 1_000_000

/**
 * Makes it, or takes one that is there: an empty one is closed to others.
 * @throws YORI_STATE_UNUSABLE when others may read what is there already
 */
export function openRecordings(folder: string): void {
  makeFolder(folder, FOLDER_MODE)
  const { mode } = statSync(folder)
  if ((mode & OTHERS) === 0) return
  if (readdirSync(folder).length === 0) return chmodSync(folder, FOLDER_MODE)
  throw new YoriError(
    'YORI_STATE_UNUSABLE',
    `${folder} is open to others, and recordings hold what people say: chmod 700 it, or name another`,
  )
}

/** Sorted by when they began. */
export function recordingName({ id, startedAt }: Recording): string {
  const at = new Date(startedAt).toISOString().replace(/[:.]/g, '-')
  return `${at}-${id.replace(/[^\w-]/g, '_').slice(0, 64)}.json`
}

/** Whole or not at all. @throws what the system says */
export async function writeRecording(
  folder: string,
  recording: Recording,
): Promise<void> {
  const path = join(folder, recordingName(recording))
  const partial = `${path}.part`
  try {
    const file = await open(partial, 'w', FILE_MODE)
    try {
      await file.writeFile(recordingText(recording))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
  } catch (cause) {
    await rm(partial, { force: true })
    throw cause
  }
}

export interface ReadRecordings {
  /** By when they began. */
  readonly recordings: readonly Recording[]
  /** Files that are none, with why. */
  readonly unread: readonly { readonly file: string; readonly why: string }[]
}

/**
 * Of a folder, or of one file.
 * @throws YORI_STATE_UNUSABLE when it cannot be read
 */
export async function readRecordings(path: string): Promise<ReadRecordings> {
  const recordings: Recording[] = []
  const unread: { file: string; why: string }[] = []
  for (const file of filesAt(path)) {
    try {
      if (statSync(file).size > MAX_FILE_BYTES) throw new Error('it is too long')
      const text = await readFile(file, 'utf8')
      if (file.endsWith('.jsonl')) recordings.push(...readLines(text))
      else recordings.push(readRecording(text))
    } catch (cause) {
      unread.push({ file, why: cause instanceof Error ? cause.message : String(cause) })
    }
  }
  recordings.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
  return { recordings, unread }
}

function filesAt(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    const names = readdirSync(path).filter((name) => /\.jsonl?$/.test(name))
    if (names.length > MAX_FILES) throw new Error(`over ${MAX_FILES} files`)
    return names.sort().map((name) => join(path, name))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new YoriError(
      'YORI_STATE_UNUSABLE',
      `the recordings at ${path} cannot be read: ${why}`,
      { cause },
    )
  }
}
