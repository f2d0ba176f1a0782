/**
 * A CA of the OpenSSL CLI that revokes: its list of revoked certificates (RFC 5280 §5), and a
 * responder that answers about them (RFC 6960), both by OpenSSL alone.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from './programs.js'
import type { Issued } from './test-ca.js'

export interface Revocable extends Issued {
  readonly file: string
  readonly serial: string
  /** Undefined: the CA knows nothing of it. */
  readonly isRevoked: boolean | undefined
}

const CONFIG = (folder: string): string => `[ca]
default_ca = d
[d]
database = ${folder}/index
certificate = ${folder}/root.pem
private_key = ${folder}/root.key
default_md = sha256
default_crl_days = 30
`

export class RevokingCa {
  readonly #folder: string
  readonly #index: string[] = []
  #made = 0

  private constructor(folder: string) {
    this.#folder = folder
  }

  get rootFile(): string {
    return this.#file('root.pem')
  }

  /** `folder`: where all files go; the caller's to remove. */
  static async create(folder: string): Promise<RevokingCa> {
    const made = new RevokingCa(folder)
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    const out = ['-keyout', made.#file('root.key'), '-out', made.rootFile, '-days', '30']
    await openssl('req', '-x509', ...key, ...out, '-subj', '/CN=Revoking Root')
    await writeFile(made.#file('conf'), CONFIG(folder))
    await made.#writeIndex()
    return made
  }

  /** `more`: further lines of `openssl x509 -extfile`. */
  async issue(
    name: string,
    isRevoked: boolean | undefined,
    more: readonly string[] = [],
  ): Promise<Revocable> {
    // The first bit set, and longer than a number: nothing that fits by chance.
    const serial = `F0${String(++this.#made).padStart(30, '0')}`
    const base = this.#file(`leaf${this.#made}`)
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    const asked = [
      '-keyout',
      `${base}.key`,
      '-out',
      `${base}.csr`,
      '-subj',
      `/CN=${name}`,
    ]
    await openssl('req', ...key, ...asked)
    const usage = ['keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth']
    const extensions = [`subjectAltName=DNS:${name}`, ...usage, ...more]
    await writeFile(`${base}.ext`, `${extensions.join('\n')}\n`)
    const by = ['-CA', this.rootFile, '-CAkey', this.#file('root.key')]
    const what = ['-in', `${base}.csr`, '-extfile', `${base}.ext`, '-days', '20']
    const out = ['-set_serial', `0x${serial}`, '-out', `${base}.pem`]
    await openssl('x509', '-req', ...what, ...by, ...out)
    const state =
      isRevoked === true ? ['R', END, `${BEGUN},keyCompromise`] : ['V', END, '']
    if (isRevoked !== undefined)
      this.#index.push([...state, serial, 'unknown', `/CN=${name}`].join('\t'))
    await this.#writeIndex()
    return {
      // With its issuer, of which curl has to know the key.
      certificatePem: (
        await Promise.all([`${base}.pem`, this.rootFile].map(textOf))
      ).join(''),
      keyPem: await readFile(`${base}.key`, 'utf8'),
      ...{ file: `${base}.pem`, serial, isRevoked },
    }
  }

  /** What `openssl verify` says with the list of this CA; undefined: it is good. */
  async verdictByList({ file }: Revocable): Promise<string | undefined> {
    const list = this.#file('list.pem')
    await openssl('ca', '-config', this.#file('conf'), '-gencrl', '-out', list)
    const by = ['-CAfile', this.rootFile, '-crl_check', '-CRLfile', list]
    const { status, stderr } = await runProgram('openssl', ['verify', ...by, file])
    return status === 0 ? undefined : stderr
  }

  /** Its responder, on a free port of the loopback. */
  async respond(): Promise<Responder> {
    const sign = ['-rsigner', this.rootFile, '-rkey', this.#file('root.key')]
    const args = ['ocsp', '-index', this.#file('index'), '-CA', this.rootFile, ...sign]
    const child = spawn('openssl', [...args, '-port', '0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const port = await listening(child)
    return new Responder(child, this.rootFile, port, this.#folder)
  }

  async #writeIndex(): Promise<void> {
    await writeFile(this.#file('index'), this.#index.map((line) => `${line}\n`).join(''))
  }

  #file(name: string): string {
    return join(this.#folder, name)
  }
}

/** UTCTime, as OpenSSL writes an index. */
const BEGUN = '200101000000Z'
const END = '491231000000Z'

export class Responder implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #rootFile: string
  readonly #port: number
  readonly #folder: string

  constructor(child: ChildProcess, rootFile: string, port: number, folder: string) {
    this.#child = child
    this.#rootFile = rootFile
    this.#port = port
    this.#folder = folder
  }

  /** One response about all of these, as it came. */
  async about(...certificates: readonly Revocable[]): Promise<Buffer> {
    const out = join(this.#folder, `${certificates[0]?.serial ?? ''}.ocsp`)
    const asked = certificates.flatMap(({ file }) => ['-cert', file])
    const from = ['-url', `http://127.0.0.1:${this.#port}/`, '-CAfile', this.#rootFile]
    const about = ['-issuer', this.#rootFile, ...asked, '-no_nonce', '-respout', out]
    await openssl('ocsp', ...about, ...from)
    return readFile(out)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

/**
 * The port, by its own word on both of its streams: it answers one after the other, and waits for
 * whoever only connects.
 */
function listening(child: ChildProcess): Promise<number> {
  let said = ''
  return new Promise((resolve, reject) => {
    const heard = (chunk: Buffer): void => {
      said += chunk.toString()
      const port = /ACCEPT \S*:(\d+)/.exec(said)?.[1]
      if (port !== undefined && said.includes('waiting')) resolve(Number(port))
    }
    child.stdout?.on('data', heard)
    child.stderr?.on('data', heard)
    child.once('exit', () => reject(new Error(`openssl ocsp: ${said}`)))
  })
}

function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8')
}

async function openssl(...args: string[]): Promise<void> {
  const { status, stderr } = await runProgram('openssl', args)
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
}
