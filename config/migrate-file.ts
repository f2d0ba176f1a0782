/**
 * A configuration file of an older version, written anew: what `yori config migrate` does. The
 * new one takes its name by one rename, with the old one's mode and owner; the old one stays
 * beside it. What is written is read again first.
 */
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import type * as Yaml from 'yaml'
import { FORMAT, migrateDocument } from './migrations.js'
import type { ConfigFormat, Migrated } from './migrations.js'
import { readYaml } from './read-yaml.js'
import type { YamlFault } from './walk-yaml.js'

export type MigratedText =
  | { readonly kind: 'ok'; readonly text: string; readonly done: Done }
  | { readonly kind: 'current' }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'unread'; readonly faults: readonly YamlFault[] }

type Done = Migrated & { readonly kind: 'migrated' }

/** The text in the version of `format`, comments kept. Pure. */
export function migrateText(text: string, format: ConfigFormat = FORMAT): MigratedText {
  const read = readYaml(text, format)
  if (read.migrated.kind === 'newer') return read.migrated
  if (read.faults.length > 0) return { kind: 'unread', faults: read.faults }
  if (read.migrated.kind !== 'migrated') return { kind: 'current' }
  const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml
  const document = yaml.parseDocument(text)
  migrateDocument(yaml, document, format)
  const written = document.toString({ lineWidth: 0, flowCollectionPadding: false })
  const again = readYaml(written, format)
  if (again.faults.length > 0 || !isDeepStrictEqual(again.value, read.value)) {
    const wrong = 'would not be the same when it is written anew'
    const right = 'write out what is behind anchors and aliases, then try again'
    return { kind: 'unread', faults: [{ key: '', wrong, right }] }
  }
  return { kind: 'ok', text: written, done: read.migrated }
}

/**
 * Puts `text` in the place of `file`, and the file that was there beside it as `FILE.vVERSION`.
 * Returns the path of the old one. A link is followed.
 * @throws the system's errors; EEXIST when there is an old one already. Nothing changed then
 */
export function replaceKeeping(file: string, text: string, version: number): string {
  const path = fs.realpathSync(file)
  const kept = `${path}.v${version}`
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  let isKept = false
  try {
    write(draft, text, fs.statSync(path))
    // The very file: its owner and mode stay, and nothing is ever half there.
    fs.linkSync(path, kept)
    isKept = true
    fs.renameSync(draft, path)
    return kept
  } catch (cause) {
    fs.rmSync(draft, { force: true })
    if (isKept) fs.rmSync(kept, { force: true })
    throw cause
  }
}

function write(draft: string, text: string, like: fs.Stats): void {
  const fd = fs.openSync(draft, 'wx', 0o600)
  try {
    fs.writeFileSync(fd, text)
    if (process.getuid?.() === 0) fs.fchownSync(fd, like.uid, like.gid)
    fs.fchmodSync(fd, like.mode & 0o777)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
