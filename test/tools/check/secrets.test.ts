/** Every key here is made at run time, so that this file passes the check that it tests. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { findSecrets } from '../../../tools/check/secrets.js'
import { TestCa } from '../../support/test-ca.js'

/** 32 characters that look random: letters of both cases with a digit as every third. */
const LETTERS = Array.from({ length: 32 }, (_, i) =>
  i % 3 === 2
    ? String(i % 10)
    : String.fromCharCode((i % 2 === 0 ? 97 : 65) + ((i * 7) % 26)),
).join('')

const kindsIn = (text: string, path = 'src/a.ts'): string[] =>
  findSecrets([{ path, text }]).map(({ what }) => what)

describe('tools/check/secrets', () => {
  const shapes: Readonly<Record<string, string>> = {
    'Anthropic key': `sk-ant-${LETTERS}`,
    'OpenAI key': `sk-proj-${LETTERS}`,
    'Google key': `AIza${LETTERS}xyz`,
    'AWS key': `AKIA${LETTERS.toUpperCase().slice(0, 16)}`,
    'GitHub token': `ghp_${LETTERS}abcd`,
    'Hugging Face token': `hf_${LETTERS}`,
  }
  for (const [kind, key] of Object.entries(shapes)) {
    it(`finds a ${kind} in code`, () => {
      assert.deepEqual(kindsIn(`const key = '${key}'\n`), [kind])
      assert.deepEqual(kindsIn(`x: ${key}`, 'test/fixtures/x.json'), [kind])
    })
  }

  it('finds private keys of any kind, and where', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (const type of ['sec1', 'pkcs8'] as const) {
      const pem = privateKey.export({ format: 'pem', type }).toString()
      const found = findSecrets([{ path: 'a/b.pem', text: `first\n${pem}` }])
      assert.deepEqual(found[0], { where: 'a/b.pem:2', what: 'private key' })
      const quoted = `const key = ${JSON.stringify(pem)}`
      assert.ok(kindsIn(quoted).includes('private key'))
      assert.ok(kindsIn(quoted, 'test/fixtures/x.json').includes('private key'))
    }
    const pem = privateKey.export({
      ...{ format: 'pem', type: 'sec1' },
      ...{ cipher: 'aes-128-cbc', passphrase: 'x' },
    })
    assert.ok(kindsIn(pem.toString()).includes('private key'))
  })

  it('leaves code alone that knows how such a file begins', () => {
    const begins = ['-----BEGIN', 'PRIVATE', 'KEY-----'].join(' ')
    assert.deepEqual(kindsIn(`if (text.startsWith('${begins}')) return true`), [])
  })

  it('finds a random token, but no certificate, path, name or hash', () => {
    const random = `${LETTERS}x9Y8z7W6`
    assert.deepEqual(kindsIn(`token=${random}`), ['random token'])
    assert.deepEqual(kindsIn(new TestCa().certificatePem), [])
    const harmless = [
      'https://platform.example.com/docs/api-reference/chat/Object2/createCompletion',
      'ERR_TLS_CERT_ALTNAME_INVALID_AND_MORE_OF_THAT',
      'thisIsAVeryLongCamelCaseNameWithOne1Digit',
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    ]
    assert.deepEqual(kindsIn(harmless.join('\n')), [])
  })

  it('leaves checksums in the lock file alone, and nowhere else', () => {
    const line = `"integrity": "sha512-${LETTERS}${LETTERS}=="`
    assert.deepEqual(kindsIn(line, 'package-lock.json'), [])
    assert.deepEqual(kindsIn(line, 'other.json'), ['random token'])
  })
})
