import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey, sign } from 'node:crypto'
import { once } from 'node:events'
import { readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, createSecureContext } from 'node:tls'
import { openAuthority } from '../../ca/authority.js'
import { pemOf, readCaCertificate } from '../../ca/certificate.js'
import { issueLeaf, issuerOf, newKey, subjectKeyOf } from '../../ca/issue.js'
import type { Signer } from '../../ca/issue.js'
import { Secret } from '../../src/core/secret.js'
import { DAY_MS, run, serveTls, startCa } from './support/ca.js'
import type { TestCa } from './support/ca.js'

/** What a thief of the issuing key has. */
async function stolen(ca: TestCa): Promise<Signer> {
  const key = createPrivateKey(await readFile(join(ca.folder, 'issuing.key')))
  return { certificate: readCaCertificate(ca.authority.issuingPem), key }
}

/** A chain that the thief signs for any name. */
async function forged(
  ca: TestCa,
  serverName: string,
): Promise<{ pem: string; keyPem: string }> {
  const signer = await stolen(ca)
  const key = await newKey()
  const leaf = issueLeaf(subjectKeyOf(key), {
    signer,
    issuer: issuerOf(signer),
    serverName,
    nowMs: ca.clock.now(),
  })
  const keyPem = key.export({ format: 'pem', type: 'pkcs8' }) as string
  return { pem: leaf.pem + ca.authority.issuingPem, keyPem }
}

async function opensslVerdict(
  ca: TestCa,
  leafPem: string,
  hostname: string,
): Promise<string> {
  const root = await ca.file('root.pem', ca.authority.rootPem)
  const issuing = await ca.file('issuing.pem', ca.authority.issuingPem)
  const args = [
    'verify',
    '-x509_strict',
    '-purpose',
    'sslserver',
    '-verify_hostname',
    hostname,
  ]
  const outcome = await run(
    'openssl',
    [...args, '-CAfile', root, '-untrusted', issuing],
    leafPem,
  )
  return outcome.stdout.trim() + outcome.stderr
}

function issuedFor(
  ca: TestCa,
  issuedNames: readonly string[],
): Promise<TestCa['authority']> {
  return openAuthority({ ...ca.options, issuedNames })
}

describe('the authority', () => {
  it('makes on first start a chain that OpenSSL accepts for the name and no other', async () => {
    await using ca = await startCa()
    const { leafPem } = ca.authority.mint('api.openai.com', ca.clock.now())
    assert.equal(await opensslVerdict(ca, leafPem, 'api.openai.com'), 'stdin: OK')
    assert.match(await opensslVerdict(ca, leafPem, 'bank.example'), /hostname mismatch/i)
  })

  it('makes leaves that OpenSSL, Node and curl refuse when a thief signs another name', async () => {
    await using ca = await startCa()
    const bank = await forged(ca, 'bank.example')
    assert.match(
      await opensslVerdict(ca, bank.pem, 'bank.example'),
      /permitted subtree violation/,
    )

    const root = await ca.file('root.pem', ca.authority.rootPem)
    await using server = await serveTls(
      createSecureContext({ cert: bank.pem, key: bank.keyPem }),
    )
    const client = connect({
      port: server.port,
      host: '127.0.0.1',
      servername: 'bank.example',
      ca: ca.authority.rootPem,
    })
    const [error] = (await once(client, 'error')) as [Error]
    assert.match(error.message, /permitted subtree violation/)
    const curl = await curlTo('bank.example', server.port, root)
    assert.equal(curl.code, 60, curl.stderr)
    assert.match(curl.stderr, /permitted subtree violation/)
  })

  it('makes leaves that OpenSSL refuses when a thief signs an address', async () => {
    await using ca = await startCa()
    const extensions = await ca.file(
      'ip.cnf',
      'subjectAltName=DNS:api.openai.com,IP:192.0.2.1\nbasicConstraints=critical,CA:FALSE\n' +
        'authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n',
    )
    const issuing = await ca.file('issuing.pem', ca.authority.issuingPem)
    const request = await run('openssl', [
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ...['-nodes', '-keyout', '/dev/null', '-subj', '/CN=api.openai.com'],
    ])
    const leaf = await run(
      'openssl',
      [
        ...['x509', '-req', '-CA', issuing, '-CAkey', join(ca.folder, 'issuing.key')],
        ...['-days', '2', '-extfile', extensions],
      ],
      request.stdout,
    )
    assert.match(
      await opensslVerdict(ca, leaf.stdout, 'api.openai.com'),
      /excluded subtree violation/,
    )
  })

  it('is believed by curl and Node for a permitted name', async () => {
    await using ca = await startCa()
    const root = await ca.file('root.pem', ca.authority.rootPem)
    const { certPem } = ca.authority.mint('api.openai.com', ca.clock.now())
    const context = createSecureContext({ cert: certPem, key: ca.authority.leafKeyPem })
    await using server = await serveTls(context)
    const curl = await curlTo('api.openai.com', server.port, root)
    assert.equal(curl.code, 0, curl.stderr)
    assert.equal(curl.stdout, 'hello')
  })

  it('does not sign for names that it does not serve', async () => {
    await using ca = await startCa()
    const { authority, clock } = ca
    assert.equal(authority.permits('api.openai.com'), true)
    assert.equal(authority.permits('tenant.openai.azure.com'), true)
    for (const name of [
      'bank.example',
      'api.anthropic.com',
      'xapi.openai.com',
      'openai.com',
    ]) {
      assert.equal(authority.permits(name), false, name)
      assert.throws(() => authority.mint(name, clock.now()), {
        code: 'YORI_CA_NAME_NOT_PERMITTED',
      })
    }
  })

  it('gives every leaf a serial number of its own', async () => {
    await using ca = await startCa()
    const serials = new Set<string>()
    for (let i = 0; i < 500; i++) {
      const { leafPem } = ca.authority.mint('api.openai.com', ca.clock.now())
      serials.add(new X509Certificate(leafPem).serialNumber)
    }
    assert.equal(serials.size, 500)
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/)
  })

  it('keeps its CA over a restart, and no leaf key', async () => {
    await using ca = await startCa()
    const again = await openAuthority(ca.options)
    assert.equal(again.rootPem, ca.authority.rootPem)
    assert.equal(again.issuingPem, ca.authority.issuingPem)
    assert.notEqual(again.leafKeyPem, ca.authority.leafKeyPem)
  })

  it('makes a new issuing CA by itself when the names change inside the root’s set', async () => {
    await using ca = await startCa()
    const more = await issuedFor(ca, ['api.openai.com', 'api.anthropic.com'])
    assert.equal(more.rootPem, ca.authority.rootPem)
    assert.notEqual(more.issuingPem, ca.authority.issuingPem)
    assert.deepEqual(readCaCertificate(more.issuingPem).permitted, [
      'api.anthropic.com',
      'api.openai.com',
    ])
    assert.equal(more.permits('api.anthropic.com'), true)
    assert.equal(more.permits('tenant.openai.azure.com'), false)
    const same = await issuedFor(ca, ['api.anthropic.com', 'api.openai.com'])
    assert.equal(same.issuingPem, more.issuingPem)
  })

  it('says which names only a new root would permit, and serves the others', async () => {
    await using ca = await startCa({
      issuedNames: ['api.openai.com', 'chat.example.com'],
    })
    assert.deepEqual(ca.authority.notPermitted, ['chat.example.com'])
    assert.equal(ca.authority.permits('chat.example.com'), false)
    assert.equal(ca.authority.permits('api.openai.com'), true)
  })

  it('permits in a new root the names that the operator adds', async () => {
    await using ca = await startCa({
      issuedNames: ['llm.example.com'],
      permitted: ['*.example.com'],
    })
    assert.deepEqual(ca.authority.notPermitted, [])
    const { leafPem } = ca.authority.mint('llm.example.com', ca.clock.now())
    assert.equal(await opensslVerdict(ca, leafPem, 'llm.example.com'), 'stdin: OK')
  })

  it('refuses to make a root that permits a public suffix', async () => {
    await assert.rejects(startCa({ permitted: ['*.co.uk'] }), {
      code: 'YORI_CA_NAME_NOT_PERMITTED',
      message: /"\*\.co\.uk": it is a public suffix/,
    })
  })

  it('signs for nothing when no name is served', async () => {
    await using ca = await startCa({ issuedNames: ['chat.example.com'] })
    assert.deepEqual(readCaCertificate(ca.authority.issuingPem).permitted, ['invalid'])
    const bank = await forged(ca, 'bank.example')
    assert.match(
      await opensslVerdict(ca, bank.pem, 'bank.example'),
      /permitted subtree violation/,
    )
    const again = await openAuthority(ca.options)
    assert.equal(again.issuingPem, ca.authority.issuingPem)
  })

  it('waits for a rotation when the names change and the root key is not here', async () => {
    await using ca = await startCa()
    await unlink(join(ca.folder, 'root.key'))
    const more = await issuedFor(ca, ['api.openai.com', 'api.anthropic.com'])
    assert.equal(more.issuingPem, ca.authority.issuingPem)
    assert.deepEqual(more.awaitingRotation, ['api.anthropic.com'])
    assert.deepEqual(more.notPermitted, [])
    assert.equal(more.permits('api.anthropic.com'), false)
    assert.equal(more.permits('api.openai.com'), true)
    assert.equal(more.renewsItself, false)
  })

  it('renews the issuing CA at two thirds of its life, while running and at start', async () => {
    await using ca = await startCa()
    const { authority, clock } = ca
    const first = authority.issuingPem
    clock.nowMs = authority.renewalDueMs - 1_000
    assert.equal(await authority.renewIfDue(clock.now()), false)
    assert.equal((await openAuthority(ca.options)).issuingPem, first)
    clock.nowMs += 1_000
    assert.equal(await authority.renewIfDue(clock.now()), true)
    assert.notEqual(authority.issuingPem, first)
    assert.equal(authority.generation, 2)
    const second = authority.issuingPem
    clock.nowMs = authority.renewalDueMs
    const restarted = await openAuthority(ca.options)
    assert.notEqual(restarted.issuingPem, second)
    assert.equal(restarted.rootPem, authority.rootPem)
    assert.deepEqual(restarted.usable(clock.now()), { kind: 'usable' })
  })

  it('cannot be used outside the life of its certificates, and says why', async () => {
    await using ca = await startCa()
    await unlink(join(ca.folder, 'root.key'))
    const authority = await openAuthority(ca.options)
    const nowMs = ca.clock.now()
    assert.deepEqual(authority.usable(nowMs), { kind: 'usable' })
    assert.deepEqual(authority.usable(nowMs - 2 * DAY_MS), { kind: 'usable' })
    const early = authority.usable(nowMs - 2 * DAY_MS - 1000)
    assert.ok(early.kind === 'unusable' && /clock is before/.test(early.reason))
    ca.clock.nowMs = nowMs + 90 * DAY_MS
    const late = authority.usable(ca.clock.now())
    assert.ok(late.kind === 'unusable' && /issuing CA expired/.test(late.reason))
    assert.throws(() => authority.mint('api.openai.com', ca.clock.now()), {
      code: 'YORI_CA_UNUSABLE',
    })
    // It opens all the same: everything is tunnelled then, and nothing fails.
    assert.equal(
      (await openAuthority(ca.options)).usable(ca.clock.now()).kind,
      'unusable',
    )
  })

  it('does not make a CA by a clock that was never set', async () => {
    const clock = { now: () => 86_400_000, monotonic: () => 0 }
    await assert.rejects(startCa({ clock }), {
      code: 'YORI_CA_UNUSABLE',
      message: /the clock says 1970-01-02/,
    })
  })

  it('is made as the operator chose', async () => {
    const profile = {
      organization: 'Home & Söhne',
      rootLifeMs: 365 * DAY_MS,
      issuingLifeMs: 30 * DAY_MS,
      leafLifeMs: 7 * DAY_MS,
    }
    await using ca = await startCa({ profile })
    const { rootPem, issuingPem } = ca.authority
    const { leafPem } = ca.authority.mint('api.openai.com', ca.clock.now())
    const lives = [rootPem, issuingPem, leafPem].map((pem) => {
      const { validFrom, validTo } = new X509Certificate(pem)
      return (Date.parse(validTo) - Date.parse(validFrom)) / DAY_MS
    })
    assert.deepEqual(lives, [365, 30, 7])
    assert.match(
      new X509Certificate(rootPem).subject,
      /^O=Home & Söhne\nCN=YORI Root CA /,
    )
    assert.equal(await opensslVerdict(ca, leafPem, 'api.openai.com'), 'stdin: OK')
  })

  it('leaves names unconstrained only when the operator says so, and goes back', async () => {
    await using ca = await startCa({ profile: { constrained: false } })
    const open = ca.authority
    for (const pem of [open.rootPem, open.issuingPem])
      assert.equal(readCaCertificate(pem).permitted, undefined)
    assert.equal(open.permits('api.openai.com'), true)
    assert.equal(open.permits('bank.example'), false)
    const { profile: _, ...options } = ca.options
    const closed = await openAuthority(options)
    assert.equal(closed.rootPem, open.rootPem)
    assert.equal(readCaCertificate(closed.issuingPem).permitted?.length, 3)
  })

  it('encrypts the root key with the passphrase, and OpenSSL opens it', async () => {
    const passphrase = new Secret('über 9000')
    await using ca = await startCa({ passphrase })
    const path = join(ca.folder, 'root.key')
    const parsed = await run('openssl', ['asn1parse', '-in', path])
    assert.match(parsed.stdout, /:PBES2[^]*:PBKDF2[^]*:hmacWithSHA256[^]*:aes-256-cbc/)
    const iterations = /INTEGER\s+:([0-9A-F]+)/.exec(parsed.stdout)?.[1] ?? '0'
    assert.ok(Number.parseInt(iterations, 16) >= 100_000)
    const opened = await run('openssl', [
      'pkey',
      '-in',
      path,
      '-passin',
      'pass:über 9000',
      '-noout',
    ])
    assert.equal(opened.code, 0, opened.stderr)
    assert.equal((await openAuthority(ca.options)).renewsItself, true)
    const { passphrase: _, ...without } = ca.options
    assert.equal((await openAuthority(without)).renewsItself, false)
  })

  it('has an issuing certificate that the root’s own key signed', async () => {
    await using ca = await startCa()
    const key = createPrivateKey(await readFile(join(ca.folder, 'root.key')))
    const root = new X509Certificate(ca.authority.rootPem)
    assert.ok(root.checkPrivateKey(key))
    assert.ok(new X509Certificate(ca.authority.issuingPem).verify(root.publicKey))
    assert.equal(ca.authority.rootFingerprint, root.fingerprint256)
    assert.match(pemOf('X', sign('sha256', Buffer.from('x'), key)), /BEGIN X/)
  })
})

function curlTo(name: string, port: number, root: string): ReturnType<typeof run> {
  return run('curl', [
    ...[
      '--silent',
      '--show-error',
      '--noproxy',
      '*',
      '--cacert',
      root,
      '--max-time',
      '10',
    ],
    ...['--resolve', `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`],
  ])
}
