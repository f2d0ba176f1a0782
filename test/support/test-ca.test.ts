/** OpenSSL and Node's own TLS client judge the certificates. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { tempFolder } from './temp-folder.js'
import { TestCa } from './test-ca.js'
import type { Issued } from './test-ca.js'
import { needs } from './needs.js'

async function opensslVerify(
  root: TestCa,
  issued: Issued,
  name: string,
): Promise<string> {
  await using folder = await tempFolder()
  writeFileSync(folder.file('root.pem'), root.certificatePem)
  writeFileSync(folder.file('leaf.pem'), issued.certificatePem)
  const args = [
    'verify',
    '-x509_strict',
    '-purpose',
    'sslserver',
    '-verify_hostname',
    name,
  ]
  const files = ['-CAfile', 'root.pem', '-untrusted', 'leaf.pem', 'leaf.pem']
  const run = spawnSync('openssl', [...args, ...files], { cwd: folder.path })
  return `${run.stdout.toString()}${run.stderr.toString()}`
}

describe('test/support/test-ca', () => {
  for (const keyType of ['ec', 'rsa'] as const) {
    it(`issues ${keyType} leaves that OpenSSL verifies strictly`, async function () {
      needs(this, 'openssl')
      const root = new TestCa('Root', keyType)
      const names = ['llm.test', '*.llm.test', '127.0.0.1', '2001:db8::1']
      const issued = root.intermediate('Below', keyType).issue({ names, keyType })
      assert.match(await opensslVerify(root, issued, 'api.llm.test'), /leaf\.pem: OK/)
      assert.match(
        await opensslVerify(root, issued, 'bank.test'),
        /Hostname mismatch|hostname mismatch/,
      )
    })
  }

  it('issues leaves that are wrong on purpose', async function () {
    needs(this, 'openssl')
    const root = new TestCa()
    const expired = root.issueExpired(['llm.test'])
    assert.match(await opensslVerify(root, expired, 'llm.test'), /has expired/)
    const own = root.issue({ names: ['llm.test'], selfSigned: true })
    assert.match(await opensslVerify(root, own, 'llm.test'), /self.signed/)
    const foreign = new TestCa('Another').issue({ names: ['llm.test'] })
    assert.match(
      await opensslVerify(root, foreign, 'llm.test'),
      /unable to get local issuer/,
    )
  })

  it('writes the addresses and names that were asked for', function () {
    needs(this, 'openssl')
    const issued = new TestCa().issue({
      names: ['a.test', '192.0.2.7', '2001:db8::5:0:1'],
    })
    const text = execFileSync('openssl', ['x509', '-noout', '-ext', 'subjectAltName'], {
      input: issued.certificatePem,
    }).toString()
    assert.match(text, /DNS:a\.test, IP Address:192\.0\.2\.7/)
    assert.match(text, /IP Address:2001:DB8:0:0:0:5:0:1/)
  })

  it('gives a key that fits the certificate', () => {
    const issued = new TestCa().issue({ names: ['a.test'] })
    const certificate = new X509Certificate(issued.certificatePem)
    assert.ok(certificate.checkPrivateKey(createPrivateKey(issued.keyPem)))
  })
})
