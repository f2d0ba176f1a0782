/**
 * The key that signs the chain's heads, and the file beside the database that keeps them: who
 * cuts the end of the record off, or writes it anew, has to change both, and whoever was sent a
 * head keeps a third. Files: `NAME-evidence.pem` (Ed25519, PKCS #8, 0600) and `NAME-heads.jsonl`.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

/** Where the chain was at a moment. */
export interface Head {
  /** The chain's name, hexadecimal. */
  readonly chain: string
  readonly seq: number
  readonly at: string
  /** SHA-256, hexadecimal. */
  readonly digest: string
  /** Ed25519 over `headText`, base64. */
  readonly signature: string
}

/** More than that, and the older half goes: some thirty years of daily heads. */
export const MAX_HEADS_BYTES = 4 * 2 ** 20

export const keyFileOf = (database: string): string => `${database}-evidence.pem`
export const headsFileOf = (database: string): string => `${database}-heads.jsonl`

/** What is signed: one line that a person can read, too. */
export function headText({ chain, seq, at, digest }: Omit<Head, 'signature'>): string {
  return `yori record ${chain} link ${seq} at ${at}Z ${digest}\n`
}

/** Read, or made when there is none. Throws what the file system throws. */
export function signingKey(database: string): KeyObject {
  const file = keyFileOf(database)
  try {
    return createPrivateKey(readFileSync(file))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  try {
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx' })
    return privateKey
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    return createPrivateKey(readFileSync(file))
  }
}

/** Of a file with either half; undefined: there is none. @throws what it cannot be read for */
export function verifyingKey(file: string): KeyObject | undefined {
  try {
    return createPublicKey(readFileSync(file))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

export const signed = (head: Omit<Head, 'signature'>, key: KeyObject): Buffer =>
  sign(null, Buffer.from(headText(head)), key)

export const isSigned = (
  head: Omit<Head, 'signature'>,
  signature: Buffer,
  key: KeyObject,
): boolean => verify(null, Buffer.from(headText(head)), key, signature)

/** Appended, and on the disk when this returns. Throws what the file system throws. */
export function keepHead(database: string, head: Head): void {
  const file = headsFileOf(database)
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > MAX_HEADS_BYTES) {
    const text = readFileSync(file, 'utf8')
    const half = text.indexOf('\n', text.length / 2) + 1
    writeFileSync(`${file}.new`, text.slice(half), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  const descriptor = openSync(file, 'a', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(head)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Lines that are no head (one was cut by a full disk) are counted, not thrown. */
export function readHeads(file: string): {
  readonly heads: readonly Head[]
  readonly unreadable: number
} {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      return { heads: [], unreadable: 0 }
    throw cause
  }
  const heads: Head[] = []
  let unreadable = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    const head = headOf(line)
    if (head === undefined) unreadable += 1
    else heads.push(head)
  }
  return { heads, unreadable }
}

/** Alone, or as a sink of the record sent it, and what servers put around a document. */
function headOf(line: string): Head | undefined {
  try {
    let found = JSON.parse(line) as unknown
    for (let depth = 0; depth < MOST_AROUND; depth++) {
      if (typeof found !== 'object' || found === null) return undefined
      const around = found as Readonly<Record<string, unknown>>
      if (around['chain'] !== undefined) return wholeHead(around)
      found = AROUND.map((name) => around[name]).find((inner) => isAround(inner))
      if (typeof found === 'string') found = JSON.parse(found)
    }
    return undefined
  } catch {
    return undefined
  }
}

/** Our own; Splunk's `event` and `_raw`, Datadog's `message`, Elasticsearch's `_source`. */
const AROUND = ['head', 'yori', 'result', 'event', '_source', '_raw', 'message'] as const
const MOST_AROUND = 6

const isAround = (inner: unknown): boolean =>
  typeof inner === 'string'
    ? inner.startsWith('{')
    : typeof inner === 'object' && inner !== null

function wholeHead(found: Partial<Head>): Head | undefined {
  const { chain, seq, at, digest, signature } = found
  const whole =
    [chain, at, digest, signature].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(seq)
  return whole ? ({ chain, seq, at, digest, signature } as Head) : undefined
}
