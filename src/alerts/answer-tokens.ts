/**
 * What stands in a link that answers an ask: a token of one message, made anew at each try from
 * the message's id and a key of its own file, so that a message that is sent again is the same
 * and the outbox holds no token. What is kept of one is its digest.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'

const KEY_BYTES = 32
const FILE_MODE = 0o600
/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/

export class AnswerTokens {
  readonly #key: Buffer

  constructor(key: Buffer = randomBytes(KEY_BYTES)) {
    this.#key = key
  }

  /** With the key in the file (0600), made where there is none; else one of this process. */
  static in(file: string): AnswerTokens {
    try {
      return new AnswerTokens(readKey(file) ?? newKey(file))
    } catch {
      return new AnswerTokens()
    }
  }

  /** The token of a message: HMAC-SHA256 of its id. */
  of(message: string): string {
    return createHmac('sha256', this.#key).update(message).digest('base64url')
  }
}

/** SHA-256; undefined: no token has that form. */
export function tokenDigest(token: string): Buffer | undefined {
  return TOKEN.test(token) ? createHash('sha256').update(token).digest() : undefined
}

export function isSameDigest(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

function readKey(file: string): Buffer | undefined {
  let opened: number
  try {
    opened = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
  try {
    fchmodSync(opened, FILE_MODE)
    const key = readFileSync(opened)
    return key.length === KEY_BYTES ? key : undefined
  } finally {
    closeSync(opened)
  }
}

function newKey(file: string): Buffer {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants
  const opened = openSync(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE)
  try {
    fchmodSync(opened, FILE_MODE)
    const key = randomBytes(KEY_BYTES)
    writeSync(opened, key)
    return key
  } finally {
    closeSync(opened)
  }
}
