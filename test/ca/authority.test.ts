import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openAuthority } from '../../ca/authority.js'
import { run, startCa } from './support/ca.js'

describe('the authority', () => {
  it('makes on first start a chain that OpenSSL accepts for the name and no other', async () => {
    await using ca = await startCa()
    const { authority } = ca
    const root = await ca.file('root.pem', authority.rootPem)
    const issuing = await ca.file('issuing.pem', authority.issuingPem)
    const { certPem } = authority.mint('api.openai.com', ca.clock.now())
    const leaf = await ca.file('leaf.pem', certPem)
    const strict = ['verify', '-x509_strict', '-purpose', 'sslserver']
    const chain = ['-CAfile', root, '-untrusted', issuing, leaf]

    const good = await run('openssl', [
      ...strict,
      '-verify_hostname',
      'api.openai.com',
      ...chain,
    ])
    const other = await run('openssl', [
      ...strict,
      '-verify_hostname',
      'bank.example',
      ...chain,
    ])

    assert.equal(good.stdout.trim(), `${leaf}: OK`, good.stderr)
    assert.notEqual(other.code, 0)
    assert.match(other.stderr, /hostname mismatch/i)
  })

  it('keeps its CA over a restart', async () => {
    await using ca = await startCa()
    const again = await openAuthority(ca.options)
    assert.equal(again.rootPem, ca.authority.rootPem)
    assert.equal(again.issuingPem, ca.authority.issuingPem)
    assert.notEqual(again.leafKeyPem, ca.authority.leafKeyPem)
  })

  it('keeps its keys to itself: 0600 in 0700', async () => {
    await using ca = await startCa()
    const mode = async (...parts: string[]) =>
      ((await stat(join(ca.folder, ...parts))).mode & 0o777).toString(8)
    assert.equal(await mode(), '700')
    assert.equal(await mode('root.key'), '600')
    assert.equal(await mode('issuing.key'), '600')
  })
})
