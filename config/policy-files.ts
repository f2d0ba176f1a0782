/**
 * The Rego files of a configuration: those in the household's own folder, and those that come
 * with YORI. A file of the same name in the own folder takes the place of ours. Policies are
 * the files of the folder itself; modules in its `lib` are shared; `*_test.rego` are tests.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { YoriError } from '../src/core/errors.js'
import { packageFile } from '../src/core/package-root.js'

/** Limits of one folder. */
const MAX_FILES = 256
const MAX_FILE_BYTES = 1024 * 1024

export interface PolicyFile {
  /** The path, for messages. */
  readonly name: string
  /** The file's name without `.rego`. */
  readonly stem: string
  readonly text: string
}

export interface PolicyFolder {
  readonly directory: string
  readonly policies: readonly PolicyFile[]
  /** Shared modules, in `lib`. */
  readonly lib: readonly PolicyFile[]
}

/** The policies that come with YORI. */
export const SHIPPED_POLICIES = packageFile('config', 'policies')

/** @throws YORI_CONFIG_INVALID for a folder that cannot be read, or holds too much */
export async function readPolicyFolder(directory: string): Promise<PolicyFolder> {
  const [policies, lib] = await Promise.all([
    regoFiles(directory),
    regoFiles(join(directory, 'lib'), true),
  ])
  return { directory, policies, lib }
}

async function regoFiles(directory: string, mayMiss = false): Promise<PolicyFile[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    if (mayMiss && isMissing(cause)) return []
    throw unusable(directory, cause)
  })
  const wanted = names
    .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
    .sort()
  if (wanted.length > MAX_FILES) {
    throw invalid(`${directory} holds more than ${MAX_FILES} policies`)
  }
  return Promise.all(wanted.map((name) => regoFile(join(directory, name))))
}

async function regoFile(name: string): Promise<PolicyFile> {
  try {
    const { size } = await stat(name)
    if (size > MAX_FILE_BYTES) throw invalid(`${name} is larger than 1 MiB`)
    const text = await readFile(name, 'utf8')
    return { name, stem: basename(name, '.rego'), text }
  } catch (cause) {
    throw unusable(name, cause)
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}

function unusable(name: string, cause: unknown): YoriError {
  if (cause instanceof YoriError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return invalid(`${name}: ${why}`, cause)
}

function invalid(detail: string, cause?: unknown): YoriError {
  return new YoriError('YORI_CONFIG_INVALID', detail, { cause })
}
