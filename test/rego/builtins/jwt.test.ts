import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { fromJsonText, regoToString } from '../../../src/rego/text.js'
import { equal, fromJson, objectOf } from '../../../src/rego/value.js'
import type { Value } from '../../../src/rego/value.js'
import { call, check } from './call.js'

// RFC 7515 A.1 and A.3, RFC 8037 A.
const payload =
  'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
const hs256 = `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`
const hs256Key =
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow'
const es256 = `eyJhbGciOiJFUzI1NiJ9.${payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`
const es256Key =
  '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'
const eddsa =
  'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
const eddsaKey =
  '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'

const claims = '{"exp": 1300819380, "http://example.com/is_root": true, "iss": "joe"}'

describe('rego tokens', () => {
  it('decodes a token', () => {
    const decoded = call('io.jwt.decode', [hs256]) as readonly Value[]
    assert.equal(regoToString(decoded[0] as Value), '{"alg": "HS256", "typ": "JWT"}')
    assert.equal(regoToString(decoded[1] as Value), claims)
    assert.match(regoToString(decoded[2] as Value), /^"7418dfb49799/)
  })

  it('verifies the published ES256 and EdDSA signatures, and no others', () => {
    assert.equal(call('io.jwt.verify_es256', [es256, es256Key]), true)
    assert.equal(call('io.jwt.verify_eddsa', [eddsa, eddsaKey]), true)
    assert.equal(
      call('io.jwt.verify_es256', [es256.replace('DtEh', 'DtEi'), es256Key]),
      false,
    )
    assert.equal(call('io.jwt.verify_rs256', [es256, es256Key]), false)
  })

  it('takes the key that the header names out of a set', () => {
    const set = `{"keys":[${eddsaKey},${es256Key}]}`
    assert.equal(call('io.jwt.verify_es256', [es256, set]), true)
  })

  it('verifies RS256 and PS512 by a public key in PEM', () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = JSON.stringify(pair.privateKey.export({ format: 'jwk' }))
    const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }) as string
    for (const [alg, name] of [
      ['RS256', 'io.jwt.verify_rs256'],
      ['PS512', 'io.jwt.verify_ps512'],
    ] as const) {
      const token = call('io.jwt.encode_sign_raw', [`{"alg":"${alg}"}`, '{"a":1}', jwk])
      assert.equal(call(name, [token as string, pem]), true)
      assert.equal(call('io.jwt.verify_hs256', [token as string, pem]), false)
    }
  })

  it('signs as RFC 7515 A.1', () => {
    const header = Buffer.from(hs256.split('.')[0] ?? '', 'base64url').toString()
    const body = Buffer.from(payload, 'base64url').toString()
    const key = `{"kty":"oct","k":"${hs256Key}"}`
    assert.equal(call('io.jwt.encode_sign_raw', [header, body, key]), hs256)
  })

  it('reads a private key in PEM as the JWK that it is', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const pem = privateKey.export({ format: 'pem', type: 'pkcs1' }) as string
    const jwk = fromJson(privateKey.export({ format: 'jwk' }))
    const name = 'crypto.x509.parse_rsa_private_key'
    for (const text of [pem, Buffer.from(pem).toString('base64')])
      assert.ok(equal(call(name, [text]) as Value, jwk))
    check([name, '["bm9wZQ=="]', 'null'])
    check([name, '[""]', `!${name}: input PEM data was empty`])
  })

  const secret = { kty: 'oct', k: Buffer.from('s').toString('base64url') }
  const token = (header: string, body: string): string =>
    call('io.jwt.encode_sign_raw', [header, body, JSON.stringify(secret)]) as string
  const verified = (text: string, constraints: string): string =>
    regoToString(
      (
        call('io.jwt.decode_verify', [
          text,
          fromJsonText(constraints),
        ]) as readonly Value[]
      )[0] as Value,
    )

  const rows: readonly (readonly [string, string, string])[] = [
    ['{"iss":"a"}', '{"secret":"s","iss":"a"}', 'true'],
    ['{"iss":"a"}', '{"secret":"s","iss":"b"}', 'false'],
    ['{"iss":"a"}', '{"secret":"t","iss":"a"}', 'false'],
    ['{"iss":"a"}', '{"secret":"s","alg":"HS512"}', 'false'],
    ['{"aud":"x"}', '{"secret":"s"}', 'false'],
    ['{"aud":["w","x"]}', '{"secret":"s","aud":"x"}', 'true'],
    ['{}', '{"secret":"s","aud":"x"}', 'false'],
    ['{"exp":2000}', '{"secret":"s","time":1999999999999}', 'true'],
    ['{"exp":2000}', '{"secret":"s","time":2000000000000}', 'false'],
    ['{"nbf":2000}', '{"secret":"s","time":2000000000000}', 'true'],
    ['{"nbf":2000}', '{"secret":"s","time":1999000000000}', 'false'],
    ['{"exp":1000}', '{"secret":"s"}', 'false'],
  ]
  for (const [body, constraints, expected] of rows)
    it(`says ${expected} of ${body} under ${constraints}`, () => {
      assert.equal(verified(token('{"alg":"HS256"}', body), constraints), expected)
    })

  it('refuses a critical header that it does not know', () => {
    const critical = token('{"alg":"HS256","crit":["b64x"],"b64x":false}', '{}')
    assert.equal(verified(critical, '{"secret":"s"}'), 'false')
  })

  it('never takes a public key for a secret', () => {
    const forged = token('{"alg":"HS256"}', '{}')
    assert.equal(verified(forged, JSON.stringify({ cert: es256Key })), 'false')
  })

  it('says what is wrong with a token or its constraints', () => {
    check([
      'io.jwt.decode',
      '["a.b"]',
      '!io.jwt.decode: encoded JWT must have 3 sections, found 2',
    ])
    check([
      'io.jwt.decode',
      '["ab"]',
      '!io.jwt.decode: encoded JWT had no period separators',
    ])
    check([
      'io.jwt.decode',
      '["e30.a/b.x"]',
      '!io.jwt.decode: JWT payload had invalid encoding: illegal base64 data at input byte 1',
    ])
    check([
      'io.jwt.decode_verify',
      [hs256, objectOf([])],
      '!io.jwt.decode_verify: no key constraint',
    ])
    check([
      'io.jwt.decode_verify',
      [hs256, objectOf([['x', 1]])],
      '!io.jwt.decode_verify: unknown token validation constraint: "x"',
    ])
  })
})
