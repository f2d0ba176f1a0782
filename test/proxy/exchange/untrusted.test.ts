/**
 * Certificates of providers that are wrong in every way that RFC 5280 has, made by OpenSSL: who
 * asks for such a provider gets 502 and our reason, over both versions of HTTP, whether policies
 * may block or not, and the provider no request. What decides which are wrong is OpenSSL itself
 * (`openssl verify`), curl, and Chromium for what OpenSSL lets pass.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'undici'
import { Chromium } from '../../support/chromium.js'
import { CHROMIUM, needs } from '../../support/needs.js'
import {
  CA_EXTENSIONS,
  leafExtensions,
  OpensslChains,
  opensslVerdict,
} from '../../support/openssl-chain.js'
import type { Chain, ChainOptions, Wrong } from '../../support/openssl-chain.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { curl } from '../../support/programs.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'

const CODE = 'YORI_UPSTREAM_UNTRUSTED'
const PAST = ['20200101000000Z', '20210101000000Z'] as const
const TO_COME = ['20400101000000Z', '20490101000000Z'] as const
const CRITICAL = '1.2.3.4.5=critical,DER:05:00'
const [BASIC, KEY_USAGE] = CA_EXTENSIONS

interface Case {
  readonly title: string
  readonly made: (name: string) => ChainOptions
  /** Undefined: it is good. */
  readonly reason: RegExp | undefined
  /** OpenSSL lets it pass, Chromium does not. */
  readonly isStricter?: true
}

function leaf(title: string, wrong: Omit<Wrong, 'ext'>, reason?: RegExp): Case {
  return { title, made: () => ({ leaf: wrong }), reason }
}

/** Extensions of the leaf: those that `lacks` does not match, and more. */
function leafWith(title: string, lacks: RegExp, more: string[], reason?: RegExp): Case {
  const made = (name: string): ChainOptions => {
    const kept = leafExtensions(name).filter((line) => !lacks.test(line))
    return { leaf: { ext: [...kept, ...more] } }
  }
  return { title, made, reason }
}

function issuer(title: string, wrong: Wrong, reason?: RegExp): Case {
  return { title, made: () => ({ intermediates: [wrong] }), reason }
}

function issuerWith(title: string, more: string, reason?: RegExp): Case {
  return issuer(title, { ext: [...CA_EXTENSIONS, more] }, reason)
}

const NONE = /^\b$/
const PERMITS = 'nameConstraints=permitted;DNS:example.org'

const CASES: readonly Case[] = [
  leaf('is good', {}),
  leaf('has a key of RSA, 2048 bits', { key: 'rsa2048' }),
  issuerWith('is of an issuer for other names', PERMITS, /permitted subtree/),
  issuerWith(
    'is of an issuer for other names, critical',
    PERMITS.replace('=', '=critical,'),
    /permitted subtree/,
  ),
  issuerWith(
    'is of an issuer that excludes the name',
    'nameConstraints=critical,excluded;DNS:openai.com',
    /excluded subtree/,
  ),
  leaf('is signed by SHA-1', { digest: 'sha1' }, /too weak/),
  issuer('has an issuer signed by SHA-1', { digest: 'sha1' }, /too weak/),
  leaf('is signed by MD5', { digest: 'md5' }, /too weak/),
  issuer('has an issuer signed by MD5', { digest: 'md5' }, /too weak/),
  leaf('has a key of RSA, 1024 bits', { key: 'rsa1024' }, /key too weak/),
  issuer('has an issuer of RSA, 1024 bits', { key: 'rsa1024' }, /key too weak/),
  leafWith('has an unknown critical extension', NONE, [CRITICAL], /unhandled critical/),
  issuerWith(
    'has an issuer with an unknown critical one',
    CRITICAL,
    /unhandled critical/,
  ),
  leafWith(
    'is for clients',
    /^extended/,
    ['extendedKeyUsage=clientAuth'],
    /unsuitable certificate purpose/,
  ),
  leafWith(
    'is for mail and code',
    /^extended/,
    ['extendedKeyUsage=emailProtection,codeSigning'],
    /unsuitable certificate purpose/,
  ),
  issuerWith(
    'has an issuer for clients',
    'extendedKeyUsage=clientAuth',
    /unsuitable certificate purpose/,
  ),
  leafWith('says nothing of its purpose', /^extended/, []),
  leafWith(
    'has a key for lists of revoked ones',
    /^keyUsage/,
    ['keyUsage=critical,cRLSign'],
    /unsuitable certificate purpose/,
  ),
  issuer(
    'has an issuer that is none',
    { ext: ['basicConstraints=critical,CA:FALSE', KEY_USAGE] },
    /invalid CA|purpose/,
  ),
  issuer('has an issuer that does not say it is one', { ext: [KEY_USAGE] }, /invalid CA/),
  issuer(
    'has an issuer whose key signs none',
    { ext: [BASIC, 'keyUsage=critical,cRLSign'] },
    /certificate signing|invalid CA/,
  ),
  issuer('has an issuer of version 1', { v1: true }, /invalid CA|purpose/),
  {
    title: 'stands below an issuer that may have no other below',
    made: () => {
      const first = { ext: [`${BASIC},pathlen:0`, KEY_USAGE] }
      return { intermediates: [first, {}] }
    },
    reason: /path length/,
  },
  leaf('has expired', { valid: PAST }, /expired/),
  leaf('is not valid yet', { valid: TO_COME }, /not yet valid/),
  issuer('has an issuer that has expired', { valid: PAST }, /expired/),
  issuer('has an issuer that is not valid yet', { valid: TO_COME }, /not yet valid/),
  { title: 'comes alone', made: () => ({ alone: true }), reason: /unable to/ },
  { title: 'is tampered with', made: () => ({ tampered: true }), reason: /signature/ },
  leafWith(
    'is for all of .com',
    /^subjectAlt/,
    ['subjectAltName=DNS:*.com'],
    /does not match/,
  ),
  leafWith(
    'is for another name',
    /^subjectAlt/,
    ['subjectAltName=DNS:api.anthropic.com'],
    /does not match/,
  ),
  leafWith('is for all of its siblings', /^subjectAlt/, [
    'subjectAltName=DNS:*.api.openai.com',
  ]),
  {
    ...leafWith(
      'names its host as a common name alone',
      /^subjectAlt/,
      [],
      /common name/,
    ),
    isStricter: true,
  },
  {
    ...leafWith(
      'names a mailbox and no host',
      /^subjectAlt/,
      ['subjectAltName=email:someone@openai.com'],
      /common name/,
    ),
    isStricter: true,
  },
  { ...leaf('is of version 1', { v1: true }, /common name/), isStricter: true },
  // Nobody who asks a provider looks these up: not curl, not the libraries.
  leafWith('asks for a stapled answer that is not there', NONE, [
    'tlsfeature=status_request',
  ]),
  leafWith('names a list of revoked ones that cannot be had', NONE, [
    'crlDistributionPoints=URI:http://127.0.0.1:1/revoked.crl',
    'authorityInfoAccess=OCSP;URI:http://127.0.0.1:1/',
  ]),
]

interface Served extends Case {
  readonly name: string
  readonly chain: Chain
  readonly origin: Origin
}

const MODES: Readonly<Record<string, Record<string, unknown>>> = {
  observe: {},
  enforce: {
    mode: 'enforce',
    enforcement: { enabled: true, consent_accepted: true },
    policies: { files: { privacy: { action: 'block' } } },
  },
}

describe('a provider whose certificate', function () {
  let folder: TempFolder
  let rootFile: string
  const served: Served[] = []
  let heard: string[] = []

  before(async function () {
    needs(this, 'openssl')
    folder = await tempFolder()
    const chains = new OpensslChains(folder.path)
    for (const [index, one] of CASES.entries()) {
      const name = `c${index}.api.openai.com`
      const chain = await chains.make(name, one.made(name))
      const origin = await startOrigin({
        certificate: chain,
        // OpenSSL would not even serve the weak ones.
        tls: {
          ciphers: 'DEFAULT:@SECLEVEL=0',
          ALPNCallback: ({ protocols }) =>
            protocols.includes('http/1.1') ? 'http/1.1' : protocols[0],
        },
        handler: (_request, response) => {
          heard.push(name)
          response.setHeader('connection', 'close').end('{}')
        },
      })
      served.push({ ...one, name, chain, origin })
    }
    rootFile = folder.file('roots.pem')
    await writeFile(rootFile, await chains.rootPem())
  })

  after(async () => {
    for (const { origin } of served) await origin[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    heard = []
  })

  const started = (config: Record<string, unknown>): Promise<Yori> =>
    Yori.start({
      origins: Object.fromEntries(served.map(({ name, origin }) => [name, origin])),
      config: {
        endpoints: [{ domain: '*.api.openai.com' }],
        upstream: { extra_ca: [rootFile] },
        ...config,
      },
    })

  for (const [mode, config] of Object.entries(MODES))
    for (const version of HTTP_VERSIONS)
      it(`is wrong is told by 502, and hears nothing (${mode}, ${version})`, async () => {
        await using yori = await started(config)
        const dispatcher = yori.dispatcher(undefined, version)
        for (const { title, name, reason } of served) {
          const answer = await request(`https://${name}/v1/chat/completions`, {
            dispatcher,
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({
              model: 'm',
              messages: [{ role: 'user', content: 'x' }],
            }),
          })
          const text = await answer.body.text()
          assert.equal(answer.statusCode, reason === undefined ? 200 : 502, title)
          assert.equal(heard.includes(name), reason === undefined, title)
          if (reason === undefined) continue
          const { error } = JSON.parse(text) as { error: { code: string } }
          assert.equal(error.code, CODE, title)
          assert.equal(answer.headers['x-should-retry'], 'false')
        }
        for (const row of await yori.rows('exchanges')) {
          const about = served.find(({ name }) => name === row['endpoint_domain'])
          assert.equal(
            row['code'],
            about?.reason === undefined ? null : CODE,
            about?.title,
          )
          if (about?.reason === undefined) continue
          assert.match(String(row['reason']), about.reason, about.title)
          assert.doesNotMatch(String(row['reason']), /UNSPECIFIED/)
        }
        assert.equal((await yori.rows('exchanges')).length, served.length)
      })

  it('is wrong is told where it would be asked over HTTP/2, too', async () => {
    const file = folder.file('catalogue.yaml')
    await writeFile(file, 'providers:\n  - { name: openai, upstream: h2 }\n')
    await using yori = await started({ catalogue: { file } })
    const dispatcher = yori.dispatcher(undefined, 'h2')
    for (const { title, name, reason } of served) {
      if (reason === undefined) continue
      const answer = await request(`https://${name}/v1/models`, { dispatcher })
      const { error } = (await answer.body.json()) as { error: { code: string } }
      assert.deepEqual([answer.statusCode, error.code], [502, CODE], title)
    }
    assert.deepEqual(heard, [])
  })

  it("is wrong is the client's to see in a tunnel", async () => {
    await using yori = await started({
      ...MODES['enforce'],
      endpoints: [{ domain: '*.api.openai.com', route: 'tunnel' }],
    })
    const ca = await readFile(rootFile, 'utf8')
    for (const { title, name, reason } of served) {
      if (!/unknown critical|expired|excludes|is good/.test(title)) continue
      const asked = yori.tls(name, { ca })
      if (reason === undefined) (await asked).destroy()
      else await assert.rejects(asked, reason, title)
    }
    assert.deepEqual(await yori.rows('exchanges'), [])
  })

  it('is good or not as OpenSSL says, but where we ask for more', async () => {
    for (const { title, name, chain, reason, isStricter } of served) {
      const verdict = await opensslVerdict(chain, rootFile, name)
      const isGood = reason === undefined || isStricter === true
      assert.equal(verdict === undefined, isGood, `${title}: ${verdict ?? 'good'}`)
    }
  })

  it('is good or not as curl says, but where we ask for more', async function () {
    needs(this, 'curl')
    for (const { title, name, origin, reason, isStricter } of served) {
      const url = `https://${name}:${origin.port}/`
      const lead = `${name}:${origin.port}:127.0.0.1`
      const trust = ['--cacert', rootFile, '--ciphers', 'DEFAULT:@SECLEVEL=2']
      const { status, stderr } = await curl([...trust, '--resolve', lead, url])
      const isGood = reason === undefined || isStricter === true
      assert.equal(status === 0, isGood, `${title}: ${stderr}`)
    }
  })

  it('names no host is refused by Chromium, too, and unasked revocation is not', async function () {
    needs(this, ...CHROMIUM)
    const looked = served.filter(({ title, isStricter }) =>
      isStricter === true ? true : /stapled|cannot be had|is good/.test(title),
    )
    await using browser = await Chromium.start({
      hostRules: looked.map(({ name, origin }) => `MAP ${name} 127.0.0.1:${origin.port}`),
      trust: await rootsOf(rootFile),
    })
    const page = await browser.page()
    for (const { title, name, reason } of looked) {
      const loaded = page.navigate(`https://${name}/`)
      if (reason === undefined) assert.equal(await loaded, 200, title)
      else await assert.rejects(loaded, /ERR_CERT|ERR_SSL/, title)
    }
  })
})

/** One text each: `certutil` adds the first of a file. */
async function rootsOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8')
  return text.match(/-----BEGIN[^-]*-----[^-]+-----END[^-]*-----\n/g) ?? []
}
