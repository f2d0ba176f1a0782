import assert from 'node:assert/strict'
import { X509Certificate, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { subjectKeyOf } from '../../ca/issue.js'
import { pemOf, readCaCertificate } from '../../ca/certificate.js'
import { issuingProfile, leafProfile, rootProfile } from '../../ca/profile.js'
import type { Issuer } from '../../ca/profile.js'
import { signedCertificate } from '../../ca/x509.js'
import type { Unsigned } from '../../ca/x509.js'
import { DAY_MS, run, tempFolder } from './support/ca.js'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const nowMs = Date.UTC(2030, 4, 6, 7, 8, 9)
/** Octets 0x00, 0x01, ... so that the expected serial can be written down. */
const moment = {
  nowMs,
  random: (n: number) => Uint8Array.from({ length: n }, (_, i) => i),
}
const key = (): KeyObject =>
  generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey

function rootOf(permitted: readonly string[]) {
  return { organization: 'YORI', permitted, lifeMs: 3650 * DAY_MS, below: 1 as const }
}

function seal(unsigned: Unsigned, signer: KeyObject): string {
  return pemOf(
    'CERTIFICATE',
    signedCertificate(unsigned, sign('sha256', unsigned.tbs, signer)),
  )
}

function issuer(pem: string): Issuer {
  const { name, keyId, notAfterMs } = readCaCertificate(pem)
  return { name, keyId, notAfterMs, algorithm: 'ecdsa-sha256' }
}

/** What OpenSSL prints about a certificate, one space between words. */
async function opensslText(pem: string): Promise<string> {
  const { stdout } = await run('openssl', ['x509', '-noout', '-text'], pem)
  return stdout.replace(/\s+/g, ' ')
}

function chain(): {
  root: string
  issuing: string
  leafOf: (name: string, lifeMs?: number) => string
} {
  const [rootKey, issuingKey, leafKey] = [key(), key(), key()]
  const root = seal(
    rootProfile(subjectKeyOf(rootKey), rootOf(['x.ai', 'openai.com']), moment),
    rootKey,
  )
  const issuing = seal(
    issuingProfile(
      subjectKeyOf(issuingKey),
      {
        organization: 'YORI',
        issuer: issuer(root),
        permitted: ['api.openai.com'],
        lifeMs: 90 * DAY_MS,
      },
      moment,
    ),
    rootKey,
  )
  const leafOf = (serverName: string, lifeMs?: number): string =>
    seal(
      leafProfile(
        subjectKeyOf(leafKey),
        {
          issuer: issuer(issuing),
          serverName,
          ...(lifeMs === undefined ? {} : { lifeMs }),
        },
        { ...moment, nowMs: moment.nowMs + DAY_MS },
      ),
      issuingKey,
    )
  return { root, issuing, leafOf }
}

describe('certificate profiles, as OpenSSL reads them', () => {
  it('make a root with path length 1, the permitted names and no address at all', async () => {
    const text = await opensslText(chain().root)
    assert.match(text, /Basic Constraints: critical CA:TRUE, pathlen:1/)
    assert.match(text, /Key Usage: critical Certificate Sign, CRL Sign/)
    assert.match(
      text,
      /Name Constraints: critical Permitted: DNS:x\.ai DNS:openai\.com Excluded: IP:0\.0\.0\.0\/0\.0\.0\.0 IP:0:0:0:0:0:0:0:0\/0:0:0:0:0:0:0:0/,
    )
    assert.match(
      text,
      /Not Before: May 4 07:08:09 2030 GMT Not After : May 1 07:08:09 2040 GMT/,
    )
    assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/)
    assert.match(text, /NIST CURVE: P-256/)
    // 00 01 02 ... with the first octet made positive and not zero.
    assert.match(text, /Serial Number: 40:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f/)
  })

  it('make an issuing CA with path length 0 that servers alone may be under', async () => {
    const text = await opensslText(chain().issuing)
    assert.match(text, /Basic Constraints: critical CA:TRUE, pathlen:0/)
    assert.match(text, /Key Usage: critical Certificate Sign, CRL Sign/)
    assert.match(
      text,
      /Name Constraints: critical Permitted: DNS:api\.openai\.com Excluded: IP:/,
    )
    assert.match(text, /Extended Key Usage: TLS Web Server Authentication/)
    assert.match(
      text,
      /Not Before: May 4 07:08:09 2030 GMT Not After : Aug 2 07:08:09 2030 GMT/,
    )
  })

  it('make a leaf with a short life that is still to come', async () => {
    for (const [days, end] of [
      [1, 'May 8'],
      [2, 'May 8'],
      [3, 'May 8'],
      [30, 'Jun 4'],
    ] as const) {
      const text = await opensslText(chain().leafOf('api.openai.com', days * DAY_MS))
      assert.match(
        text,
        new RegExp(`Not Before: May 5 .* Not After : ${end} 07:08:09 2030`),
      )
    }
  })

  it('make a leaf for one name, for 90 days with the two before now', async () => {
    const text = await opensslText(chain().leafOf('api.openai.com'))
    assert.match(text, /Subject: CN = api\.openai\.com/)
    assert.match(text, /Basic Constraints: critical CA:FALSE/)
    assert.match(text, /Key Usage: critical Digital Signature X509v3/)
    assert.match(text, /Extended Key Usage: TLS Web Server Authentication/)
    assert.match(text, /Subject Alternative Name: DNS:api\.openai\.com X509v3/)
    // A day after its CA; 90 days would be August 3, and the issuing CA ends before that.
    assert.match(
      text,
      /Not Before: May 5 07:08:09 2030 GMT Not After : Aug 2 07:08:09 2030 GMT/,
    )
  })

  it('carry the issuer’s name and key identifier down the chain', () => {
    const { root, issuing, leafOf } = chain()
    const r = new X509Certificate(root)
    const i = new X509Certificate(issuing)
    const l = new X509Certificate(leafOf('api.openai.com'))
    assert.ok(r.checkIssued(r) && i.checkIssued(r) && l.checkIssued(i))
    assert.ok(r.verify(r.publicKey) && i.verify(r.publicKey) && l.verify(i.publicKey))
    assert.match(r.publicKey.asymmetricKeyDetails?.namedCurve ?? '', /prime256v1/)
  })

  it('leave the subject empty and the name critical when it is too long for a CN', async () => {
    const long = `${'a'.repeat(60)}.api.openai.com`
    const text = await opensslText(chain().leafOf(long))
    assert.match(text, /Subject: Subject Public Key/)
    assert.ok(text.includes(`Subject Alternative Name: critical DNS:${long} `), text)
  })

  it('take an A-label as it is', async () => {
    const text = await opensslText(chain().leafOf('xn--bcher-kva.api.openai.com'))
    assert.match(text, /Alternative Name: DNS:xn--bcher-kva\.api\.openai\.com /)
  })

  it('write years from 2050 as GeneralizedTime', async () => {
    const late = { ...moment, nowMs: Date.UTC(2045, 0, 2) }
    const own = key()
    const text = await opensslText(
      seal(rootProfile(subjectKeyOf(own), rootOf(['x.ai']), late), own),
    )
    assert.match(
      text,
      /Not Before: Dec 31 00:00:00 2044 GMT Not After : Dec 29 00:00:00 2054 GMT/,
    )
  })

  it('permit nothing when the list of names is empty', async () => {
    const own = key()
    const root = seal(
      rootProfile(subjectKeyOf(own), rootOf([]), { ...moment, nowMs: Date.now() }),
      own,
    )
    const leafKey = key()
    const leaf = seal(
      leafProfile(
        subjectKeyOf(leafKey),
        { issuer: issuer(root), serverName: 'bank.example' },
        { ...moment, nowMs: Date.now() },
      ),
      own,
    )
    await using temp = await tempFolder()
    await writeFile(join(temp.path, 'root.pem'), root)
    const verdict = await run(
      'openssl',
      ['verify', '-CAfile', join(temp.path, 'root.pem')],
      leaf,
    )
    assert.match(verdict.stderr, /error 47 .*permitted subtree violation/)
  })

  it('say what Node’s own reader says about key and signature', () => {
    const own = key()
    const pem = seal(rootProfile(subjectKeyOf(own), rootOf(['x.ai']), moment), own)
    const read = readCaCertificate(pem)
    assert.deepEqual(read.permitted, ['x.ai'])
    assert.equal(read.pathLength, 1)
    assert.equal(read.isCa, true)
    assert.equal(read.x509.publicKey.equals(createPublicKey(own)), true)
  })
})
