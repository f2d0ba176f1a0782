/** Digests and MACs, in hexadecimal. RFC 1321, RFC 3174, FIPS 180-4, RFC 2104. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import { define, stringAt } from './define.js'
import { spendText } from './spend.js'

type Algorithm = 'md5' | 'sha1' | 'sha256' | 'sha512'

function digest(algorithm: Algorithm): Builtin {
  return define(`crypto.${algorithm}`, [t.string], t.string, (args, context) => {
    const text = stringAt(args, 0)
    spendText(context, text.length)
    return createHash(algorithm).update(text).digest('hex')
  })
}

function mac(algorithm: Algorithm): Builtin {
  return define(`crypto.hmac.${algorithm}`, two, t.string, (args, context) => {
    const text = stringAt(args, 0)
    const key = stringAt(args, 1)
    spendText(context, text.length)
    return createHmac(algorithm, key).update(text).digest('hex')
  })
}

/** In a time that does not tell where two MACs differ. */
function sameMac(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

const two = [t.string, t.string] as const

export const hashes: readonly Builtin[] = [
  digest('md5'),
  digest('sha1'),
  digest('sha256'),
  mac('md5'),
  mac('sha1'),
  mac('sha256'),
  mac('sha512'),
  define('crypto.hmac.equal', two, t.boolean, (args) =>
    sameMac(stringAt(args, 0), stringAt(args, 1)),
  ),
]
