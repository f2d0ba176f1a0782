/**
 * A configuration profile signed as Apple's devices show it as verified: CMS SignedData around
 * it (RFC 5652), DER, by the `openssl` program of this machine.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { YoriError } from '../src/core/errors.js'

const WITHIN_MS = 10_000

export interface SigningFiles {
  /** PEM: the signer first, then what leads to a root that devices trust. */
  readonly certificate: string
  /** PEM, not encrypted. */
  readonly key: string
}

/** @throws YORI_CA_UNUSABLE with what openssl said */
export async function signedProfile(
  profile: string | Uint8Array,
  files: SigningFiles,
): Promise<Uint8Array> {
  const pem = await readFile(files.certificate, 'latin1').catch(() => '')
  const [, ...chain] = pem.match(CERTIFICATE) ?? []
  if (chain.length === 0) return signed(profile, files, [])
  // openssl refuses a signer that stands among the others, too.
  const folder = await mkdtemp(join(tmpdir(), 'yori-sign-'))
  try {
    const others = join(folder, 'chain.pem')
    await writeFile(others, `${chain.join('\n')}\n`)
    return await signed(profile, files, ['-certfile', others])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function signed(
  profile: string | Uint8Array,
  { certificate, key }: SigningFiles,
  chain: readonly string[],
): Promise<Uint8Array> {
  const files = ['-signer', certificate, '-inkey', key, ...chain]
  const form = ['-nodetach', '-binary', '-outform', 'DER', '-md', 'sha256']
  return new Promise((resolve, reject) => {
    const child = execFile(
      'openssl',
      ['cms', '-sign', ...files, ...form],
      { encoding: 'buffer', timeout: WITHIN_MS, maxBuffer: 4 * 1024 * 1024 },
      (cause, made, said) => {
        if (cause === null) return resolve(new Uint8Array(made))
        const why = said.toString().trim().split('\n')[0] ?? ''
        const says = `openssl could not sign with ${certificate} and ${key}: ${why || cause.message}`
        reject(new YoriError('YORI_CA_UNUSABLE', says, { cause }))
      },
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(profile)
  })
}
