/** JSON Web Tokens (RFC 7519) made and signed, by a key as JWK (RFC 7517). */
import { createPrivateKey, createSecretKey } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { Builtin, BuiltinContext } from '../builtin.js'
import { JsonError, fromJsonText } from '../text.js'
import { t } from '../type-spec.js'
import { RegoObject, toJson } from '../value.js'
import type { Value } from '../value.js'
import { define, refuse, stringAt, valueAt } from './define.js'
import { goJson } from './json-text.js'
import { jwksOf } from './jws-keys.js'
import { isAlgorithm, signText } from './jws.js'

/** Steps that one signature costs. */
const stepsPerSignature = 5000

type SigningTexts = { header: string; payload: string; key: string }

function encodeSign(texts: SigningTexts, context: BuiltinContext): Value {
  context.step(stepsPerSignature)
  const [jwk] = jwksOf(texts.key)
  if (jwk === undefined) refuse('no keys found in JWK set')
  const header = parsedHeader(texts.header)
  const alg = header.get('alg')
  if (alg === undefined)
    refuse(`missing or invalid 'alg' header: jwsbb: header "alg" not found`)
  if (typeof alg !== 'string') refuse("missing or invalid 'alg' header: not a string")
  if (!isAlgorithm(alg)) refuse(`unknown JWS algorithm: ${alg}`)
  const type = header.get('typ')
  if ((typeof type !== 'string' || type === 'JWT') && !isJson(texts.payload))
    refuse('type is JWT but payload is not JSON')
  const text = [texts.header, texts.payload]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
  const signature = signText(alg, signingKey(jwk), text)
  if (signature === undefined) return refuse(`key is not one for ${alg}`)
  return `${text}.${signature.toString('base64url')}`
}

function parsedHeader(text: string): RegoObject {
  try {
    const header = fromJsonText(text)
    if (header instanceof RegoObject) return header
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause
  }
  return refuse("missing or invalid 'alg' header: cannot parse JSON")
}

function isJson(text: string): boolean {
  try {
    fromJsonText(text)
    return true
  } catch (cause) {
    if (cause instanceof JsonError) return false
    throw cause
  }
}

function signingKey(jwk: RegoObject): KeyObject {
  const secret = jwk.get('k')
  if (jwk.get('kty') === 'oct' && typeof secret === 'string')
    return createSecretKey(Buffer.from(secret, 'base64url'))
  try {
    return createPrivateKey({ key: toJson(jwk) as JsonWebKey, format: 'jwk' })
  } catch {
    return refuse('failed to parse the JWK')
  }
}

const fields = t.object(t.string)

export const signedTokens: readonly Builtin[] = [
  {
    ...define(
      'io.jwt.encode_sign_raw',
      [t.string, t.string, t.string],
      t.string,
      (args, context) =>
        encodeSign(
          {
            key: stringAt(args, 2),
            header: stringAt(args, 0),
            payload: stringAt(args, 1),
          },
          context,
        ),
    ),
    nondeterministic: true,
  },
  {
    ...define('io.jwt.encode_sign', [fields, fields, fields], t.string, (args, context) =>
      encodeSign(
        {
          key: goJson(valueAt(args, 2)),
          header: goJson(valueAt(args, 0)),
          payload: goJson(valueAt(args, 1)),
        },
        context,
      ),
    ),
    nondeterministic: true,
  },
]
