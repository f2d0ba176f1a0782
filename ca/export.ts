/**
 * The root certificate in the forms in which devices and programs take it. Pure but for
 * `systemRoots` and `readBundle`, which read lists of this machine's. No key leaves from here.
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { unreachable } from '../src/core/unreachable.js'

export const shells = ['sh', 'fish', 'powershell', 'dotenv'] as const
export type Shell = (typeof shells)[number]

/** Where Debian, Red Hat, Alpine and FreeBSD (two ways) keep the roots that they trust. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
  '/usr/local/share/certs/ca-root-nss.crt',
]
const MAX_BUNDLE_BYTES = 4_194_304

export function derOf(pem: string): Buffer {
  return new X509Certificate(pem).raw
}

/** What a person compares: SHA-256 as `AA:BB:...`; SHA-1 because some systems show only that. */
export function fingerprints(pem: string): { sha256: string; sha1: string } {
  const { fingerprint256, fingerprint } = new X509Certificate(pem)
  return { sha256: fingerprint256, sha1: fingerprint }
}

/** The roots of this machine, or where it has no list Node's own (Mozilla's). */
export async function systemRoots(paths = SYSTEM_BUNDLES): Promise<string> {
  return (await systemRootsAt(paths)).pem
}

/** The same, and where they are from. */
export async function systemRootsAt(
  paths = SYSTEM_BUNDLES,
): Promise<{ readonly path: string; readonly pem: string }> {
  for (const path of paths) {
    const pem = await readBundle(path)
    if (pem !== undefined) return { path, pem }
  }
  return { path: 'Node', pem: `${rootCertificates.join('\n')}\n` }
}

/** Undefined: it cannot be read, holds no certificate, or is over 4 MiB. */
export async function readBundle(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined || text.length > MAX_BUNDLE_BYTES) return undefined
  return text.includes('-----BEGIN CERTIFICATE-----') ? text : undefined
}

/** Public roots and ours, each once: for programs whose setting replaces what they trust. */
export function trustBundle(rootPem: string, roots: string): string {
  const others = roots.endsWith('\n') ? roots : `${roots}\n`
  return others.includes(rootPem.trim()) ? others : `${others}${rootPem}`
}

/**
 * The variables by which programs learn whom to trust. Node's and Deno's add a root; all the
 * others replace what the program trusts, and with our root alone every site that YORI leaves
 * untouched would fail. So they name a bundle of the public roots and ours.
 */
export function trustVariables(files: {
  rootFile: string
  bundleFile: string
}): readonly (readonly [name: string, value: string])[] {
  const { rootFile, bundleFile } = files
  return [
    ['NODE_EXTRA_CA_CERTS', rootFile],
    ['DENO_CERT', rootFile],
    ['CODEX_CA_CERTIFICATE', bundleFile],
    ['CARGO_HTTP_CAINFO', bundleFile],
    ['NIX_SSL_CERT_FILE', bundleFile],
    ['HTTPLIB2_CA_CERTS', bundleFile],
    ['SSL_CERT_FILE', bundleFile],
    ['REQUESTS_CA_BUNDLE', bundleFile],
    ['AWS_CA_BUNDLE', bundleFile],
    ['CURL_CA_BUNDLE', bundleFile],
    ['GIT_SSL_CAINFO', bundleFile],
    ['PIP_CERT', bundleFile],
    ['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', bundleFile],
  ]
}

/** One line a variable, quoted so that no value can be read as anything but text. */
export function renderVariables(
  variables: readonly (readonly [name: string, value: string])[],
  shell: Shell,
): string {
  return variables.map(([name, value]) => `${assign(shell, name, value)}\n`).join('')
}

function assign(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case 'sh':
      return `export ${name}='${value.replaceAll("'", `'\\''`)}'`
    case 'fish':
      return `set -gx ${name} '${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    case 'powershell':
      // PowerShell takes typographic quotes for quotes, too.
      return `$env:${name} = '${value.replace(/['\u2018-\u201b]/g, '$&$&')}'`
    case 'dotenv':
      return `${name}="${value.replace(/["\\$`]/g, '\\$&').replaceAll('\n', '\\n')}"`
    default:
      return unreachable(shell)
  }
}
