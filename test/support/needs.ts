/**
 * What a test needs of the machine beside Node. What is lacking skips it by name, and the
 * reporter lists at the end what would bring it (`tools/check/reporter.ts`).
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { chromiumPath } from './chromium-path.js'
import { casesFile } from './fixtures.js'
import { postgresPrograms } from './postgres-server.js'
import { noteLack } from '../../tools/check/lacks.js'
import type { Lack } from '../../tools/check/lacks.js'
import { Engine } from '../../src/waf/libmodsecurity.js'

/** By the name it is run under: the Debian package it is in, and words that it answers to. */
const PROGRAMS = {
  bash: ['bash'],
  certutil: ['libnss3-tools', '-H'],
  curl: ['curl'],
  dnsmasq: ['dnsmasq-base'],
  'gnutls-cli': ['gnutls-bin'],
  groff: ['groff-base'],
  go: ['golang-go', 'version'],
  h2load: ['nghttp2-client'],
  ip: ['iproute2', '-V'],
  java: ['default-jdk-headless', '-version'],
  javac: ['default-jdk-headless', '-version'],
  keytool: ['default-jdk-headless', '-help'],
  nft: ['nftables', '-v'],
  nghttp: ['nghttp2-client'],
  openssl: ['openssl', 'version'],
  php: ['php-cli'],
  prlimit: ['util-linux'],
  python3: ['python3'],
  'redis-server': ['redis-server'],
  rsyslogd: ['rsyslog', '-v'],
  ruby: ['ruby'],
  script: ['bsdutils'],
  setpriv: ['util-linux'],
  shellcheck: ['shellcheck'],
  sqlite3: ['sqlite3'],
  ss: ['iproute2', '-V'],
  'systemd-analyze': ['systemd'],
  unbound: ['unbound', '-V'],
  unshare: ['util-linux'],
  useradd: ['passwd', '--help'],
  xmllint: ['libxml2-utils'],
  zstd: ['zstd'],
} as const satisfies Record<string, readonly [string, string?]>

export type Program = keyof typeof PROGRAMS

const LOOPBACK6 = 'ip link set lo up && ip -6 address show dev lo | grep -q ::1'

const PLACES = {
  Linux: () => process.platform === 'linux' || 'run the tests on Linux',
  root: () => process.geteuid?.() === 0 || 'run the tests as root',
  'mount namespaces': () =>
    succeeds('unshare', ['--mount', 'true']) || 'let this user make namespaces',
  'user namespaces': () =>
    succeeds('unshare', ['-rm', 'true']) || 'let this user make namespaces',
  'network namespaces with IPv6': () =>
    succeeds('unshare', ['--net', 'sh', '-c', LOOPBACK6]) ||
    'let root make namespaces, and the kernel have IPv6',
  'an address beyond loopback': () =>
    Object.values(networkInterfaces())
      .flat()
      .some((one) => one?.family === 'IPv4' && !one.internal) ||
    'give this machine an IPv4 address that others could dial',
  IPv6: () =>
    hasLoopback6() || 'let the kernel have it (net.ipv6.conf.lo.disable_ipv6=0)',
  'update-ca-certificates': () =>
    existsSync('/usr/sbin/update-ca-certificates') || 'apt-get install ca-certificates',
  Jinja2: () =>
    succeeds('python3', ['-c', 'import jinja2']) || 'apt-get install python3-jinja2',
  PostgreSQL: () => postgresPrograms() !== undefined || 'apt-get install postgresql',
  libmodsecurity: () => hasEngine(),
  'the Core Rule Set': () =>
    existsSync('/usr/share/modsecurity-crs/rules') || 'apt-get install modsecurity-crs',
  Chromium: () => chromiumPath() !== undefined || 'apt-get install chromium',
} as const satisfies Record<string, () => true | string>

/** What the firewall needs. */
export const FIREWALL = ['libmodsecurity', 'the Core Rule Set'] as const

export type Need = Program | keyof typeof PLACES

/** Machines of a test: `Namespaces`. */
export const NAMESPACES = [
  'Linux',
  'root',
  'unshare',
  'ip',
  'nft',
  'network namespaces with IPv6',
] as const
/** A browser that can be told whom to trust. */
export const CHROMIUM = ['Chromium', 'certutil'] as const

const known = new Map<Need, Lack | undefined>()

/** Skips a test, or from `before` a suite, unless everything is there. */
export function needs(context: Mocha.Context, ...all: readonly Need[]): void {
  for (const need of all) {
    const lack = lackOf(need)
    if (lack !== undefined) skip(context, lack)
  }
}

/** Skips it for another reason, and says which. */
export function skip(context: Mocha.Context, lack: Lack): never {
  noteLack(context, lack)
  return context.skip()
}

export function has(need: Need): boolean {
  return lackOf(need) === undefined
}

/** For programs other than tests: what is lacking first, and what would bring it. */
export function whyNot(...all: readonly Need[]): string | undefined {
  const [lack] = all.flatMap((need) => lackOf(need) ?? [])
  return lack === undefined ? undefined : `no ${lack.what}: ${lack.brings}`
}

/** A file or folder of recorded cases, below the folder that YORI_CASES names. */
export function recordedCases(context: Mocha.Context, ...parts: string[]): string {
  const path = casesFile(...parts)
  return path ?? skip(context, { what: 'recorded cases', brings: 'YORI_CASES=FOLDER' })
}

/** Of programs alone: the Debian packages that bring them. */
export const debianPackages: ReadonlySet<string> = new Set(
  Object.values(PROGRAMS).map(([name]) => name),
)

function lackOf(need: Need): Lack | undefined {
  if (!known.has(need)) known.set(need, look(need))
  return known.get(need)
}

function look(need: Need): Lack | undefined {
  if (need in PLACES) {
    const brings = PLACES[need as keyof typeof PLACES]()
    return brings === true ? undefined : { what: need, brings }
  }
  const [name, flag = '--version'] = PROGRAMS[need as Program] as readonly [
    string,
    string?,
  ]
  if (spawnSync(need, [flag], { stdio: 'ignore' }).error === undefined) return undefined
  return { what: need, brings: `apt-get install ${name}` }
}

function succeeds(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0
}

function hasEngine(): true | string {
  try {
    Engine.open()
    return true
  } catch (cause) {
    return (cause as Error).message
  }
}

function hasLoopback6(): boolean {
  const addresses = Object.values(networkInterfaces()).flat()
  return addresses.some((info) => info?.address === '::1')
}
