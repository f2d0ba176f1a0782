/**
 * The files that a configuration names: secrets are read, the others are only looked
 * for, since their users read them when they need them.
 */
import { readFileSync, statSync } from 'node:fs'
import { Secret } from '../src/core/secret.js'
import { isObject } from './defaults.js'
import type { Found } from './find-file.js'
import type { Remark } from './judge.js'
import type { Path } from './problem.js'
import type { Config } from './schema.js'
import { SINK_SECRETS } from './schema-alerts.js'

const MAX_SECRET_BYTES = 4096

export type Followed =
  | { readonly kind: 'ok'; readonly config: Config }
  | { readonly kind: 'fault'; readonly remark: Remark }

/** Puts the first line of each `*_file` in the place of the secret that it holds. */
export function followFiles(config: Config): Followed {
  const ca = followed(config.ca, ['passphrase'], ['ca'])
  if (ca.kind === 'fault') return ca
  const sinks: Record<string, unknown> = {}
  for (const [name, sink] of Object.entries(config.alerts.sinks)) {
    const one = followed(sink, SINK_SECRETS, ['alerts', 'sinks', name])
    if (one.kind === 'fault') return one
    sinks[name] = one.section
  }
  const alerts = Object.freeze({ ...config.alerts, sinks: Object.freeze(sinks) })
  const whole = Object.freeze({ ...config, ca: ca.section, alerts })
  return { kind: 'ok', config: whole as Config }
}

type FollowedSection<S> =
  { readonly kind: 'ok'; readonly section: S } | (Followed & { readonly kind: 'fault' })

function followed<S extends object>(
  section: S,
  secrets: readonly string[],
  at: Path,
): FollowedSection<S> {
  let whole: S = section
  for (const secret of secrets) {
    const key = `${secret}_file`
    const file = (section as Record<string, unknown>)[key]
    if (typeof file !== 'string') continue
    const line = firstLine(file)
    if (line.kind === 'fault') {
      const { wrong, right } = line
      return { kind: 'fault', remark: { path: [...at, key], atKey: false, wrong, right } }
    }
    const value = new Secret(line.text)
    Object.freeze(value)
    whole = Object.freeze({ ...whole, [secret]: value })
  }
  return { kind: 'ok', section: whole }
}

type Line =
  | { readonly kind: 'ok'; readonly text: string }
  | { readonly kind: 'fault'; readonly wrong: string; readonly right: string }

function firstLine(file: string): Line {
  const fault = (wrong: string, right: string): Line => ({ kind: 'fault', wrong, right })
  try {
    const stat = statSync(file)
    if (!stat.isFile()) return fault(`${file} is not a regular file`, 'name a file')
    if ((stat.mode & 0o077) !== 0) {
      return fault(`${file} can be read or written by others`, `chmod 600 ${file}`)
    }
    if (stat.size > MAX_SECRET_BYTES) {
      return fault(`${file} is larger than ${MAX_SECRET_BYTES} bytes`, 'name another')
    }
    const [line] = readFileSync(file, 'utf8').split(/\r?\n/, 1)
    if (line === undefined || line === '') {
      return fault(`the first line of ${file} is empty`, 'write the secret there')
    }
    return { kind: 'ok', text: line }
  } catch {
    const right = 'create it, or let this user read it'
    return fault(`${file} does not exist or cannot be read`, right)
  }
}

/** Named files that are not there (yet): told, not refused. */
export function missingFiles({
  proxy,
  upstream,
  policies,
  catalogue,
  alerts,
  inspect,
  mcp,
  audit,
  fleet,
}: Config): Remark[] {
  const named: (readonly [Path, string | undefined])[] = [
    [['proxy', 'tls_cert'], proxy.tls_cert],
    [['proxy', 'tls_key'], proxy.tls_key],
    [['mcp', 'gateway', 'key_file'], mcp.gateway.key_file],
    [['audit', 'ship', 'password_file'], audit.ship.password_file],
    [['audit', 'ship', 'tls_ca'], audit.ship.tls_ca],
    [['fleet', 'counters', 'tls_ca'], fleet.counters.tls_ca],
    [['fleet', 'counters', 'password_file'], fleet.counters.password_file],
    ...Object.entries(audit.sinks).flatMap(([name, { token_file, tls_ca }]) => [
      [['audit', 'sinks', name, 'token_file'], token_file] as const,
      [['audit', 'sinks', name, 'tls_ca'], tls_ca] as const,
    ]),
    [['policies', 'directory'], policies.directory],
    [['policies', 'bundle', 'token_file'], policies.bundle.token_file],
    [['policies', 'bundle', 'key'], keyFile(policies.bundle.key)],
    [['catalogue', 'file'], catalogue.file],
    [['inspect', 'detect_rules'], inspect.detect_rules],
    ...upstream.extra_ca.map(
      (file, index) => [['upstream', 'extra_ca', index], file] as const,
    ),
    ...Object.entries(alerts.sinks).map(
      ([name, { tls_ca }]) => [['alerts', 'sinks', name, 'tls_ca'], tls_ca] as const,
    ),
  ]
  return named.flatMap(([path, file]): Remark[] => {
    const wrong = file === undefined ? undefined : absence(file)
    if (wrong === undefined) return []
    const right = 'create it or mend the path'
    return [{ path, atKey: false, wrong: `${file} ${wrong}`, right }]
  })
}

/** A key that stands there itself is no file. */
function keyFile(key: string | undefined): string | undefined {
  return key?.startsWith('-----BEGIN ') === true ? undefined : key
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
