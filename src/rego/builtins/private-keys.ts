/** Private keys as JSON Web Keys (RFC 7517, RFC 7518 §6). */
import { createPrivateKey } from 'node:crypto'
import type { Builtin, BuiltinContext } from '../builtin.js'
import { t } from '../type-spec.js'
import { fromJson } from '../value.js'
import type { Value } from '../value.js'
import { base64Bytes } from './base64.js'
import { define, refuse, stringAt } from './define.js'
import { nextPemBlock } from './pem.js'
import { spendText } from './spend.js'

const encodings: ReadonlyMap<string, 'pkcs1' | 'pkcs8' | 'sec1'> = new Map([
  ['RSA PRIVATE KEY', 'pkcs1'],
  ['PRIVATE KEY', 'pkcs8'],
  ['EC PRIVATE KEY', 'sec1'],
])

/** The first private key in PEM, which may be in base64 as a whole; null when there is none. */
function toJwk(args: readonly Value[], context: BuiltinContext): Value {
  const given = stringAt(args, 0)
  if (given === '') refuse('input PEM data was empty')
  spendText(context, given.length)
  const text = given.startsWith('-----BEGIN') ? given : decoded(given)
  for (
    let block = nextPemBlock(text);
    block !== undefined;
    block = nextPemBlock(text, block.end)
  ) {
    const type = encodings.get(block.label)
    if (type === undefined) continue
    try {
      const key = createPrivateKey({ key: block.bytes, format: 'der', type })
      return fromJson(key.export({ format: 'jwk' }))
    } catch (cause) {
      return refuse(cause instanceof Error ? cause.message : 'no private key')
    }
  }
  return null
}

function decoded(text: string): string {
  const bytes = base64Bytes(text, 'standard')
  if (bytes.kind === 'bytes') return bytes.bytes.toString()
  return refuse(`illegal base64 data at input byte ${bytes.offset}`)
}

export const privateKeys: readonly Builtin[] = [
  define('crypto.x509.parse_rsa_private_key', [t.string], t.object(t.string), toJwk),
]
