/** Policies and documents from disk, for the `policy` commands. */
import { fromJsonText } from '@yori/rego'
import type { SourceFile, Value } from '@yori/rego'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { YoriError } from '../../../core/errors.js'

/** Limits of what one command reads: more is a mistake in the path. */
const MAX_FILES = 10_000
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** The `.rego` files at the paths; folders are read with what is below them, in order. */
export function readPolicies(paths: readonly string[]): SourceFile[] {
  const files: SourceFile[] = []
  for (const path of paths) {
    for (const name of regoFiles(path)) {
      files.push({ name, text: readText(name) })
      if (files.length > MAX_FILES) throw unusable(`more than ${MAX_FILES} policies`)
    }
  }
  return files
}

function regoFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const entries = readdirSync(path, { withFileTypes: true })
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = join(path, entry.name)
      if (entry.isDirectory()) return regoFiles(inner)
      return entry.isFile() && entry.name.endsWith('.rego') ? [inner] : []
    })
}

/** A JSON document; `-` is the standard input. */
export function readDocument(path: string): Value {
  const text = path === '-' ? readFileSync(0, 'utf8') : readText(path)
  try {
    return fromJsonText(text)
  } catch (cause) {
    throw unusable(`${path} is not JSON: ${(cause as Error).message}`)
  }
}

function readText(path: string): string {
  if (statSync(path).size > MAX_FILE_BYTES) throw unusable(`${path} is larger than 4 MiB`)
  return readFileSync(path, 'utf8')
}

function unusable(detail: string): YoriError {
  return new YoriError('YORI_CONFIG_UNREADABLE', detail)
}
