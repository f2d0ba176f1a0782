/**
 * As whom requests go to a gateway of agents: its token, and a proof of the key with each (RFC
 * 9449). The last nonce that the gateway gave is said in the proofs that follow, §8.2.
 */
import { randomUUID } from 'node:crypto'
import { fieldValues } from '../http/flat-fields.js'
import { dpopProof } from '../http/dpop.js'
import type { ProofKey } from '../http/dpop.js'
import type { AgentSigner, Signed } from '../policy/mcp-doors.js'

/** A longer one is none. */
const MAX_NONCE = 1024

/** A token, the key that proves it is ours, and how the token is said. */
export interface AgentIdentityOptions {
  readonly key: ProofKey
  readonly token: string
  readonly scheme: 'Bearer' | 'DPoP'
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** One for a gateway. It keeps a nonce, of at most 1,024 characters. */
export class AgentIdentity implements AgentSigner {
  readonly #options: AgentIdentityOptions
  #nonce: string | undefined

  constructor(options: AgentIdentityOptions) {
    this.#options = options
  }

  sign(method: string, url: string): Signed {
    const { key, token, scheme, now } = this.#options
    const nonce = this.#nonce
    const proof = dpopProof(key, {
      ...{ method, url, token, nonce },
      issuedAt: Math.floor(now() / 1000),
      id: randomUUID(),
    })
    return { fields: ['authorization', `${scheme} ${token}`, 'dpop', proof], nonce }
  }

  /**
   * Remembers the nonce of an answer's head. True: the request was refused for want of it,
   * RFC 9449 §9. A challenge is expected with a 401; one that says nothing at all asks by the
   * new nonce alone.
   */
  heard(status: number, fields: readonly string[], said: string | undefined): boolean {
    const [nonce, ...more] = fieldValues(fields, 'dpop-nonce')
    const isOne = nonce !== undefined && more.length === 0 && isNonce(nonce)
    if (!isOne) return false
    this.#nonce = nonce
    if (status !== 401 && status !== 400) return false
    const challenges = fieldValues(fields, 'www-authenticate')
    if (challenges.some((one) => /\buse_dpop_nonce\b/.test(one))) return true
    return status === 401 && challenges.length === 0 && nonce !== said
  }
}

/** RFC 9449 §8.1: NQCHAR of RFC 6749. */
function isNonce(text: string): boolean {
  return text.length <= MAX_NONCE && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
}
