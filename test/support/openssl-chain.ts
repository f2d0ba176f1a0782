/**
 * Chains of certificates by the OpenSSL CLI: a root, an intermediate, a leaf, each right or wrong
 * on purpose, so that none of our own code decides what is wrong with them. RFC 5280.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from './programs.js'
import type { Issued } from './test-ca.js'

export type ChainKey = 'P-256' | 'rsa1024' | 'rsa2048'

export interface Wrong {
  /** Extensions instead of the usual ones, as in `openssl x509 -extfile`. */
  readonly ext?: readonly string[]
  readonly key?: ChainKey
  readonly digest?: 'sha256' | 'sha1' | 'md5'
  /** First and last moment, as `20200101000000Z`. */
  readonly valid?: readonly [string, string]
  /** Version 1: without any extension. */
  readonly v1?: boolean
}

export interface ChainOptions {
  readonly leaf?: Wrong
  /** From the root down; one unless said. */
  readonly intermediates?: readonly Wrong[]
  /** Bytes of the leaf's signature are other ones. */
  readonly tampered?: boolean
  /** The server does not send the intermediates. */
  readonly alone?: boolean
}

export interface Chain extends Issued {
  readonly leafFile: string
  readonly intermediatesFile: string
}

export const CA_EXTENSIONS = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
] as const

export function leafExtensions(name: string): readonly string[] {
  return [
    `subjectAltName=DNS:${name}`,
    'basicConstraints=CA:FALSE',
    'keyUsage=digitalSignature,keyEncipherment',
    'extendedKeyUsage=serverAuth',
  ]
}

interface Signer {
  readonly certificate: string
  readonly key: string
}

export class OpensslChains {
  readonly #folder: string
  readonly #keys = new Map<string, Promise<string>>()
  readonly #intermediates = new Map<string, Promise<Signer>>()
  readonly #roots = new Map<ChainKey, Promise<Signer>>()
  #made = 0

  /** `folder`: where all files go; the caller's to remove. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** The roots, one of each kind of key that was asked for, in one file. */
  async rootPem(): Promise<string> {
    const roots = await Promise.all(this.#roots.values())
    const texts = roots.map(({ certificate }) => readFile(certificate, 'utf8'))
    return (await Promise.all(texts)).join('')
  }

  async make(name: string, options: ChainOptions = {}): Promise<Chain> {
    const { leaf = {}, intermediates = [{}], tampered = false, alone = false } = options
    const all = [leaf, ...intermediates]
    // There is no MD5 with ECDSA.
    const caKey = all.some(({ digest }) => digest === 'md5') ? 'rsa2048' : 'P-256'
    let signer = await this.#root(caKey)
    const issuers: string[] = []
    for (const wrong of intermediates) {
      signer = await this.#intermediate({ key: caKey, ...wrong }, signer)
      issuers.unshift(await readFile(signer.certificate, 'utf8'))
    }
    const about = { ext: leafExtensions(name), ...leaf }
    const { certificate, key } = await this.#issue('leaf', name, about, signer)
    if (tampered) await tamper(certificate)
    const intermediatesFile = `${certificate}.intermediates`
    await writeFile(intermediatesFile, issuers.join(''))
    const pem = await readFile(certificate, 'utf8')
    return {
      certificatePem: alone ? pem : [pem, ...issuers].join(''),
      keyPem: await readFile(key, 'utf8'),
      leafFile: certificate,
      intermediatesFile: alone ? certificate : intermediatesFile,
    }
  }

  /** One of each kind. */
  #intermediate(wrong: Wrong, by: Signer): Promise<Signer> {
    const kind = `${by.certificate} ${JSON.stringify(wrong)}`
    const about = { ext: CA_EXTENSIONS, ...wrong }
    const made =
      this.#intermediates.get(kind) ??
      this.#issue('intermediate', `Intermediate ${this.#made}`, about, by)
    this.#intermediates.set(kind, made)
    return made
  }

  #root(key: ChainKey): Promise<Signer> {
    const made =
      this.#roots.get(key) ??
      this.#issue(`root ${key}`, `Root ${key}`, { ext: CA_EXTENSIONS, key })
    this.#roots.set(key, made)
    return made
  }

  async #issue(role: string, name: string, wrong: Wrong, by?: Signer): Promise<Signer> {
    const { ext = [], digest = 'sha256', valid, v1 = false } = wrong
    const base = join(this.#folder, `c${this.#made++}`)
    const key = await this.#key(role, wrong.key ?? 'P-256')
    const certificate = `${base}.pem`
    await writeFile(`${base}.ext`, `${ext.join('\n')}\n`)
    const extensions = v1 ? [] : ['-extfile', `${base}.ext`]
    const out = ['-out', certificate, ...extensions]
    const subject = ['-new', '-subj', `/CN=${name}`]
    if (valid !== undefined) {
      const request = `${base}.csr`
      await openssl('req', ...subject, '-key', key, '-out', request)
      const signer = ca(by ?? { certificate, key })
      await this.#issueWithin(base, valid, [...signer, '-in', request, ...out])
    } else {
      const how = by === undefined ? ['-signkey', key] : this.#signedBy(by)
      const what = [...subject, '-force_pubkey', `${key}.pub`]
      await openssl('x509', ...what, ...how, ...out, '-days', '30', `-${digest}`)
    }
    return { certificate, key }
  }

  #signedBy({ certificate, key }: Signer): string[] {
    return ['-CA', certificate, '-CAkey', key, '-set_serial', String(this.#made)]
  }

  /** `openssl x509` of version 3.0 has no dates. */
  async #issueWithin(
    base: string,
    [from, to]: readonly [string, string],
    args: readonly string[],
  ): Promise<void> {
    const folder = `${base}.ca`
    await mkdir(folder)
    await writeFile(join(folder, 'index'), '')
    await writeFile(join(folder, 'serial'), '1000\n')
    const lines = [
      ...['[ca]', 'default_ca=d', '[d]', `database=${folder}/index`],
      ...[`serial=${folder}/serial`, `new_certs_dir=${folder}`, 'policy=p'],
      ...['[p]', 'commonName=supplied', ''],
    ]
    await writeFile(join(folder, 'conf'), lines.join('\n'))
    const dates = ['-startdate', from, '-enddate', to]
    const config = ['-batch', '-notext', '-config', join(folder, 'conf'), '-md', 'sha256']
    await openssl('ca', ...config, ...dates, ...args)
  }

  /** One of each role and kind, as keys cost most. */
  #key(role: string, kind: ChainKey): Promise<string> {
    const file = join(this.#folder, `${role} ${kind}.key`)
    const how =
      kind === 'P-256'
        ? ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
        : ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${kind.slice(3)}`]
    const made =
      this.#keys.get(file) ??
      openssl('genpkey', ...how, '-out', file)
        .then(() => openssl('pkey', '-in', file, '-pubout', '-out', `${file}.pub`))
        .then(() => file)
    this.#keys.set(file, made)
    return made
  }
}

function ca({ certificate, key }: Signer): string[] {
  return ['-cert', certificate, '-keyfile', key]
}

async function tamper(file: string): Promise<void> {
  const [, body = ''] = (await readFile(file, 'utf8')).split(/-----[^-]+-----/)
  const der = Buffer.from(body, 'base64')
  const last = der.length - 1
  der[last] = (der[last] ?? 0) ^ 1
  const lines = (der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')
  const [head, end] = ['BEGIN', 'END'].map((word) => `-----${word} CERTIFICATE-----`)
  await writeFile(file, `${String(head)}\n${lines}\n${String(end)}\n`)
}

async function openssl(...args: string[]): Promise<string> {
  const { status, stderr } = await runProgram('openssl', args)
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
  return stderr
}

/** What OpenSSL says of it for `name`, at the level of 112 bits; undefined: it is good. */
export async function opensslVerdict(
  { leafFile, intermediatesFile }: Chain,
  rootFile: string,
  name: string,
): Promise<string | undefined> {
  const { status, stderr, stdout } = await runProgram('openssl', [
    ...['verify', '-purpose', 'sslserver', '-auth_level', '2'],
    ...['-verify_hostname', name, '-no-CAfile', '-no-CApath', '-no-CAstore'],
    ...['-CAfile', rootFile, '-untrusted', intermediatesFile, leafFile],
  ])
  if (status === 0) return undefined
  const text = `${stdout.toString()}${stderr}`
  return /^error \d+ at \d+ depth lookup: ?(.*)$/m.exec(text)?.[1] ?? text
}
