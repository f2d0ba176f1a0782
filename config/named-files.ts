/**
 * The files that a configuration names: the passphrase is read, the others are only looked
 * for, since their users read them when they need them.
 */
import { readFileSync, statSync } from 'node:fs'
import { Secret } from '../src/core/secret.js'
import { isObject } from './defaults.js'
import type { Found } from './find-file.js'
import type { Remark } from './judge.js'
import type { Path } from './problem.js'
import type { Config } from './schema.js'

const MAX_PASSPHRASE_BYTES = 4096

export type Followed =
  | { readonly kind: 'ok'; readonly config: Config }
  | { readonly kind: 'fault'; readonly remark: Remark }

/** Puts the first line of `ca.passphrase_file` in the place of `ca.passphrase`. */
export function followFiles(config: Config): Followed {
  const file = config.ca.passphrase_file
  if (file === undefined) return { kind: 'ok', config }
  const fault = (wrong: string, right: string): Followed => {
    const path = ['ca', 'passphrase_file']
    return { kind: 'fault', remark: { path, atKey: false, wrong, right } }
  }
  try {
    const stat = statSync(file)
    if (!stat.isFile()) return fault(`${file} is not a regular file`, 'name a file')
    if ((stat.mode & 0o077) !== 0) {
      return fault(`${file} can be read or written by others`, `chmod 600 ${file}`)
    }
    if (stat.size > MAX_PASSPHRASE_BYTES) {
      return fault(`${file} is larger than ${MAX_PASSPHRASE_BYTES} bytes`, 'name another')
    }
    const [line] = readFileSync(file, 'utf8').split(/\r?\n/, 1)
    if (line === undefined || line === '') {
      return fault(`the first line of ${file} is empty`, 'write the passphrase there')
    }
    const passphrase = new Secret(line)
    Object.freeze(passphrase)
    const ca = Object.freeze({ ...config.ca, passphrase })
    return { kind: 'ok', config: Object.freeze({ ...config, ca }) }
  } catch {
    const right = 'create it, or let this user read it'
    return fault(`${file} does not exist or cannot be read`, right)
  }
}

/** Named files that are not there (yet): told, not refused. */
export function missingFiles({ proxy, upstream, policies, catalogue }: Config): Remark[] {
  const named: (readonly [Path, string | undefined])[] = [
    [['proxy', 'tls_cert'], proxy.tls_cert],
    [['proxy', 'tls_key'], proxy.tls_key],
    [['policies', 'directory'], policies.directory],
    [['catalogue', 'file'], catalogue.file],
    ...upstream.extra_ca.map(
      (file, index) => [['upstream', 'extra_ca', index], file] as const,
    ),
  ]
  return named.flatMap(([path, file]): Remark[] => {
    const wrong = file === undefined ? undefined : absence(file)
    if (wrong === undefined) return []
    const right = 'create it or mend the path'
    return [{ path, atKey: false, wrong: `${file} ${wrong}`, right }]
  })
}

function absence(file: string): string | undefined {
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    return found === undefined ? 'does not exist' : undefined
  } catch {
    return 'cannot be reached by this user'
  }
}

/** A passphrase in plain text in a file that everyone on the machine can read. */
export function exposedSecrets(found: Found, value: unknown): Remark[] {
  if (found.kind !== 'text' || !found.readableByOthers) return []
  const ca = isObject(value) ? value['ca'] : undefined
  const passphrase = isObject(ca) ? ca['passphrase'] : undefined
  if (typeof passphrase !== 'string' || passphrase.includes('${')) return []
  const right = `chmod 600 ${found.path}, or use passphrase_file`
  const wrong = 'can be read by every user of this machine'
  return [{ path: ['ca', 'passphrase'], atKey: false, wrong, right }]
}
