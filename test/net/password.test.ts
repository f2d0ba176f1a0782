import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { formats } from '../../config/schema-formats.js'
import {
  hashPassword,
  parsePasswordHash,
  verifyPassword,
} from '../../src/net/password.js'

async function fits(text: string, password: string): Promise<boolean> {
  const hash = parsePasswordHash(text)
  assert.ok(hash !== undefined, text)
  return verifyPassword(hash, password)
}

describe('a password hash', () => {
  it('made here fits its password, no other, and the configuration', async () => {
    const [one, two] = await Promise.all([hashPassword('pāss 1'), hashPassword('pāss 1')])
    assert.notEqual(one, two)
    assert.match(one, /^scrypt:16384:8:1:/)
    assert.equal(formats['password-hash'].check(one), undefined)
    assert.equal(await fits(one, 'pāss 1'), true)
    assert.equal(await fits(one, 'pass 1'), false)
    assert.equal(await fits(one, ''), false)
  })

  it('of RFC 7914 §12 fits its password, in both forms', async () => {
    const hex =
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
      '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640'
    const hash = Buffer.from(hex, 'hex').toString('base64')
    const salt = Buffer.from('NaCl').toString('base64')
    assert.equal(await fits(`scrypt:1024:8:16:${salt}:${hash}`, 'password'), true)
    const bare = (text: string): string => text.replace(/=+$/, '')
    const common = `$scrypt$ln=10,r=8,p=16$${bare(salt)}$${bare(hash)}`
    assert.equal(await fits(common, 'password'), true)
    assert.equal(await fits(common, 'passwort'), false)
  })

  it('of old files is read', async () => {
    const digest = createHash('sha256').update('secret').digest('hex')
    assert.equal(await fits(`sha256:${digest.toUpperCase()}`, 'secret'), true)
    assert.equal(await fits(`sha256:${digest}`, 'Secret'), false)
  })

  for (const text of [
    '',
    'scrypt',
    'plain',
    'scrypt:16384:8:1:c2FsdA==',
    'scrypt:16383:8:1:c2FsdA==:MDEyMzQ1Njc4OWFiY2RlZg==',
    'scrypt:1048576:8:1:c2FsdA==:MDEyMzQ1Njc4OWFiY2RlZg==',
    'scrypt:16384:8:99:c2FsdA==:MDEyMzQ1Njc4OWFiY2RlZg==',
    'scrypt:16384:8:1:c2FsdA==:c2hvcnQ=',
    'scrypt:16384:8:1:c2 sdA==:MDEyMzQ1Njc4OWFiY2RlZg==',
    '$scrypt$ln=40,r=8,p=1$c2FsdA$MDEyMzQ1Njc4OWFiY2RlZg',
    'sha256:1234',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.equal(parsePasswordHash(text), undefined)
    })
  }
})
