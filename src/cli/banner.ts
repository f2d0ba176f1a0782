/** What a person sees at the start: what runs, and what to do next. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../../config/schema.js'
import type { Appliance } from '../assembly/appliance.js'
import type { ControlPlaces } from '../control/port.js'
import { formatSocketAddress } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import { packageFile, packageRoot } from '../core/package-root.js'

export interface BannerFacts {
  readonly appliance: Appliance
  readonly config: Config
  readonly source: string
  /** Given for this run, over the configuration's. */
  readonly stateDir: string | undefined
  readonly skipped: readonly SocketAddress[]
  readonly control: ControlPlaces
}

export function banner(facts: BannerFacts): string {
  const { appliance, config, source, skipped, control } = facts
  const { authority } = appliance.current
  const root = resolve(appliance.rootFile)
  const enabled = config.endpoints.filter((endpoint) => endpoint.enabled)
  const namesOf = (isRead: boolean): string[] =>
    enabled
      .filter(({ route }) => (route === 'intercept') === isRead)
      .map(({ domain }) => domain)
  const on = namesOf(true)
  const unread = namesOf(false)
  const listening = appliance.addresses.map(formatSocketAddress).join(', ')
  const missing = skipped.map(
    (address) => `${formatSocketAddress(address)} (not on this machine)`,
  )
  const lines = [
    `YORI  ${config.mode}${config.enforcement.enabled ? ', enforcement on' : ', nothing is blocked'}`,
    `  configuration  ${source === 'defaults' ? 'built-in defaults' : source}`,
    `  listening      ${[listening, ...missing].join(', ')}`,
    `  intercepting   ${summary(on)}`,
    ...(unread.length === 0 ? [] : [`  by name alone  ${summary(unread)}`]),
    `  records        ${config.audit.database}`,
    `  root CA        ${root}`,
    `                 SHA-256 ${authority.rootFingerprint}`,
    `  trust page     ${trustPageOf(appliance)}`,
    `  control        ${controlOf(control)}`,
    '',
    'Next, in another terminal, lead a client through it:',
    '',
    `  HTTPS_PROXY=${proxyOf(appliance)} curl --cacert ${quoted(root)} https://${exampleOf(on)}/v1/models`,
    '',
    'and see what was recorded:',
    '',
    `  ${commandOf(facts)}`,
    '',
    'Ctrl-C stops it.',
    '',
  ]
  return lines.join('\n') + '\n'
}

/** A host that exists: none is named `*.openai.com`. */
function exampleOf(names: readonly string[]): string {
  const whole = names.find((name) => !name.startsWith('*'))
  if (whole !== undefined) return whole
  const [wild] = names
  if (wild === undefined) return 'api.openai.com'
  return `api.${wild.replace(/^\*\./, '')}`
}

/** What finds the same record, typed where this was. */
function commandOf({ source, stateDir }: BannerFacts): string {
  const words = [typedAs(), 'audit', 'list']
  if (source !== 'defaults') words.push('--config', quoted(source))
  if (stateDir !== undefined) words.push('--state-dir', quoted(resolve(stateDir)))
  return words.join(' ')
}

/**
 * What reaches this very YORI: a clone has a script of that name at its top, a package does not
 * and is on the path. Never npx, which fetches a stranger's package wherever there is no clone.
 */
function typedAs(): string {
  const script = packageFile('yori')
  if (!existsSync(script)) return 'yori'
  return process.cwd() === packageRoot ? './yori' : quoted(script)
}

/** As a POSIX shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function summary(names: readonly string[]): string {
  const [first, second, third, ...rest] = names
  const shown = [first, second, third].filter((name) => name !== undefined).join(', ')
  if (shown === '') return 'nothing: no endpoint is enabled'
  return rest.length === 0 ? shown : `${shown} and ${rest.length} more`
}

function controlOf({ listen, problem }: ControlPlaces): string {
  if (listen !== undefined) return `${listen} (\`${typedAs()} dashboard\` opens it)`
  return problem === undefined ? 'off' : `not there: ${problem}`
}

/** The first address that we listen on; loopback where that is any. */
function proxyOf(appliance: Appliance): string {
  const [first = { address: '127.0.0.1', port: 8443 }] = appliance.addresses
  const isAny = first.address === '0.0.0.0' || first.address === '::'
  return `http://${isAny ? `127.0.0.1:${first.port}` : formatSocketAddress(first)}`
}

/** Where devices learn to trust the root: here, and where others reach us. */
function trustPageOf(appliance: Appliance): string {
  const [other] = appliance.current.services.reach()
  const here = `${proxyOf(appliance)}/`
  const there = other === undefined ? undefined : `http://${formatSocketAddress(other)}/`
  return there === undefined || there === here
    ? here
    : `${here} (other devices: ${there})`
}
