/**
 * Providers whose certificate a CA of OpenSSL has revoked, by its list, by its responder, and by
 * what they staple themselves: what YORI does is what docs/RUNBOOK.md says. What decides that
 * they are revoked is `openssl verify -crl_check`, `openssl ocsp` and `curl --cert-status`.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { request } from 'undici'
import { needs } from '../../support/needs.js'
import { RevokingCa } from '../../support/openssl-revocation.js'
import type { Responder, Revocable } from '../../support/openssl-revocation.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { curl } from '../../support/programs.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'

const CODE = 'YORI_UPSTREAM_UNTRUSTED'

const MODES: Readonly<Record<string, Record<string, unknown>>> = {
  observe: {},
  enforce: {
    mode: 'enforce',
    enforcement: { enabled: true, consent_accepted: true },
    policies: { files: { privacy: { action: 'block' } } },
  },
}

type Staple = 'none' | 'own' | 'other' | 'no OCSP'

interface Case {
  readonly title: string
  readonly isRevoked: boolean
  readonly staple: Staple
  readonly more?: readonly string[]
  readonly version?: 'TLSv1.2'
  readonly isRefused?: true
}

const MUST_STAPLE = 'tlsfeature=status_request'

const CASES: readonly Case[] = [
  { title: 'good, and staples that', isRevoked: false, staple: 'own' },
  { title: 'good, and staples nothing', isRevoked: false, staple: 'none' },
  { title: 'revoked, and staples nothing', isRevoked: true, staple: 'none' },
  {
    title: 'revoked, has to staple, and does not',
    ...{ isRevoked: true, staple: 'none', more: [MUST_STAPLE] },
  },
  { title: 'revoked, and staples that', isRevoked: true, staple: 'own', isRefused: true },
  {
    title: 'revoked, has to staple that, and does',
    ...{ isRevoked: true, staple: 'own', more: [MUST_STAPLE], isRefused: true },
  },
  {
    title: 'revoked, and staples that over TLS 1.2',
    ...{ isRevoked: true, staple: 'own', version: 'TLSv1.2', isRefused: true },
  },
  { title: 'good, and staples of another', isRevoked: false, staple: 'other' },
  { title: 'good, and staples what is no OCSP', isRevoked: false, staple: 'no OCSP' },
]

interface Served extends Case {
  readonly name: string
  readonly certificate: Revocable
  readonly origin: Origin
}

describe('a certificate that is revoked', function () {
  let folder: TempFolder
  let ca: RevokingCa
  let responder: Responder
  let elsewhere: Origin
  const served: Served[] = []
  const heard: string[] = []

  before(async function () {
    needs(this, 'openssl')
    folder = await tempFolder()
    ca = await RevokingCa.create(folder.path)
    // Where its certificates say that CRL and OCSP are to be had: nobody is to ask there.
    elsewhere = await startOrigin()
    const at = `URI:http://${elsewhere.address}`
    const where = [
      `crlDistributionPoints=${at}/revoked.crl`,
      `authorityInfoAccess=OCSP;${at}/ocsp`,
    ]
    const names = CASES.map((_, index) => `r${index}.api.openai.com`)
    const certificates: Revocable[] = []
    for (const [index, { isRevoked, more = [] }] of CASES.entries()) {
      const name = names[index] ?? ''
      certificates.push(await ca.issue(name, isRevoked, [...where, ...more]))
    }
    const other = await ca.issue('other.example', true)
    responder = await ca.respond()
    for (const [index, one] of CASES.entries()) {
      const certificate = certificates[index] as Revocable
      const staples = {
        none: null,
        own: await responder.about(certificate),
        other: await responder.about(other),
        'no OCSP': Buffer.from('\u0030\u0082no OCSP at all'),
      }
      const name = names[index] ?? ''
      const { version } = one
      const origin = await startOrigin({
        certificate,
        tls: {
          ALPNCallback: ({ protocols }) =>
            protocols.includes('http/1.1') ? 'http/1.1' : protocols[0],
          ...(version === undefined ? {} : { maxVersion: version }),
        },
        handler: (_request, response) => {
          heard.push(name)
          response.setHeader('connection', 'close').end('{}')
        },
      })
      origin.server.on(
        'OCSPRequest',
        (_leaf, _issuer, answer: (error: null, staple: Buffer | null) => void) =>
          answer(null, staples[one.staple]),
      )
      served.push({ ...one, name, certificate, origin })
    }
  })

  after(async () => {
    for (const { origin } of served) await origin[Symbol.asyncDispose]()
    await elsewhere[Symbol.asyncDispose]()
    await responder[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  for (const upstream of ['h1', 'h2'])
    for (const [mode, config] of Object.entries(MODES))
      it(`is refused when the provider staples that, and nobody is asked (${mode}, ${upstream} upstream)`, async () => {
        const file = folder.file('catalogue.yaml')
        await writeFile(file, `providers:\n  - { name: openai, upstream: ${upstream} }\n`)
        await using yori = await Yori.start({
          origins: Object.fromEntries(served.map(({ name, origin }) => [name, origin])),
          config: {
            endpoints: [{ domain: '*.api.openai.com' }],
            upstream: { extra_ca: [ca.rootFile] },
            catalogue: { file },
            ...config,
          },
        })
        heard.length = 0
        // They speak HTTP/1.1: over HTTP/2 it is their handshake that is looked at.
        const asked = served.filter(
          ({ isRefused }) => upstream === 'h1' || isRefused === true,
        )
        for (const version of HTTP_VERSIONS)
          for (const { title, name, isRefused } of asked)
            // Twice: no session of the first is resumed, which would show no certificate.
            for (let n = 0; n < 2; n++) {
              const answer = await request(`https://${name}/v1/models`, {
                dispatcher: yori.dispatcher(undefined, version),
              })
              const text = await answer.body.text()
              assert.equal(answer.statusCode, isRefused === true ? 502 : 200, title)
              if (isRefused !== true) continue
              const { error } = JSON.parse(text) as { error: { code: string } }
              assert.equal(error.code, CODE, title)
              assert.ok(!heard.includes(name), title)
            }
        for (const row of await yori.rows('exchanges')) {
          const about = served.find(({ name }) => name === row['endpoint_domain'])
          assert.equal(row['code'], about?.isRefused === true ? CODE : null, about?.title)
          if (about?.isRefused === true)
            assert.match(String(row['reason']), /revoked: the provider itself staples/)
        }
        assert.equal(elsewhere.accepted, 0, 'neither CRL nor OCSP is asked')
      })

  it('is so by the list of its CA', async () => {
    for (const { title, certificate } of served) {
      const verdict = await ca.verdictByList(certificate)
      assert.equal(verdict !== undefined, certificate.isRevoked, title)
      if (certificate.isRevoked) assert.match(verdict ?? '', /revoked/, title)
    }
  })

  it('is refused by curl where that is asked to look at staples, and by no other', async function () {
    needs(this, 'curl')
    for (const { title, name, origin, staple, isRevoked } of served) {
      const lead = `${name}:${origin.port}:127.0.0.1`
      const asked = ['--cacert', ca.rootFile, '--resolve', lead]
      const url = `https://${name}:${origin.port}/`
      const plain = await curl([...asked, url])
      assert.equal(plain.status, 0, `${title}: ${plain.stderr}`)
      const looking = await curl([...asked, '--cert-status', url])
      const isGood = staple === 'own' && !isRevoked
      assert.equal(looking.status === 0, isGood, `${title}: ${looking.stderr}`)
    }
  })
})
