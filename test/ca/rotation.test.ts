import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, createSecureContext } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { openAuthority } from '../../ca/authority.js'
import type { Authority } from '../../ca/authority.js'
import { readCaCertificate } from '../../ca/certificate.js'
import { CaKeeper } from '../../ca/ca-keeper.js'
import { LeafContexts } from '../../ca/leaf-cache.js'
import {
  activateStagedRoot,
  bringRootKeyBack,
  cancelStagedRoot,
} from '../../ca/manage.js'
import { importRoot, rootKeyForExport, rotateIssuing } from '../../ca/manage.js'
import { stageNewRoot, takeRootKeyAway } from '../../ca/manage.js'
import { silentLog } from '../../src/core/log.js'
import { Secret } from '../../src/core/secret.js'
import { DAY_MS, run, serveNames, serveTls, startCa, tempFolder } from './support/ca.js'
import type { TestCa } from './support/ca.js'

const child = fileURLToPath(new URL('./support/rotate-child.js', import.meta.url))
const settled = ['issuing.crt', 'issuing.key', 'root.crt', 'root.key']
const withStaged = [...settled, 'cross.crt', 'next-root.crt', 'next-root.key'].sort()

/** OpenSSL's verdict on the chain that a server would send, for a client with this root. */
async function verdict(
  ca: TestCa,
  authority: Authority,
  rootPem: string,
): Promise<string> {
  const name = 'api.openai.com'
  const { leafPem } = authority.mint(name, ca.clock.now())
  const root = await ca.file('trusted.pem', rootPem)
  const chain = await ca.file('chain.pem', authority.chainPem)
  const args = [
    'verify',
    '-x509_strict',
    '-purpose',
    'sslserver',
    '-verify_hostname',
    name,
  ]
  const trust = ['-no-CApath', '-no-CAstore', '-CAfile', root, '-untrusted', chain]
  const outcome = await run('openssl', [...args, ...trust], leafPem)
  return outcome.stdout.trim() + outcome.stderr
}

/** Whether Node and curl believe the authority's server when they trust this root alone. */
async function believed(
  ca: TestCa,
  authority: Authority,
  rootPem: string,
): Promise<boolean[]> {
  const { certPem } = authority.mint('api.openai.com', ca.clock.now())
  const context = createSecureContext({ cert: certPem, key: authority.leafKeyPem })
  await using server = await serveTls(context)
  const client = connect({
    port: server.port,
    host: '127.0.0.1',
    servername: 'api.openai.com',
    ca: rootPem,
  })
  const byNode = await once(client, 'secureConnect').then(
    () => true,
    () => false,
  )
  client.destroy()
  const root = await ca.file('believed.pem', rootPem)
  const curl = await run('curl', [
    ...['--silent', '--noproxy', '*', '--cacert', root, '--max-time', '10'],
    ...['--resolve', `api.openai.com:${server.port}:127.0.0.1`],
    `https://api.openai.com:${server.port}/`,
  ])
  return [byNode, curl.stdout === 'hello']
}

function handshake(port: number, servername: string, rootPem: string): Promise<boolean> {
  const client = connect({ port, host: '127.0.0.1', servername, ca: rootPem })
  const done = once(client, 'secureConnect').then(() => client.authorized)
  return done.finally(() => client.destroy())
}

/** A root as another program makes it. */
async function foreignRoot(
  ca: TestCa,
  options: { key?: readonly string[]; extensions?: string; days?: string } = {},
): Promise<{ cert: { pem: string; path: string }; key: { pem: string; path: string } }> {
  const { key = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], days = '365' } = options
  const extensions =
    options.extensions ??
    'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'
  const config = await ca.file(
    'foreign.cnf',
    `[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=Home CA\n[ext]\n${extensions}\nsubjectKeyIdentifier=hash\n`,
  )
  const keyPath = await ca.file('foreign.key', '')
  const made = await run('openssl', [
    ...['req', '-x509', '-config', config, '-newkey', ...key, '-nodes'],
    ...['-keyout', keyPath, '-days', days],
  ])
  assert.equal(made.code, 0, made.stderr)
  // A certificate of this second must be valid by the clock of the test.
  ca.clock.nowMs = Date.now()
  const cert = { pem: made.stdout, path: 'foreign.crt' }
  return { cert, key: { pem: await readFile(keyPath, 'utf8'), path: 'foreign.key' } }
}

describe('rotation', () => {
  it('makes a new issuing CA under the same root, which devices trust already', async () => {
    await using ca = await startCa()
    const rotation = await rotateIssuing(ca.options)
    assert.equal(rotation.kind, 'rotated')
    await ca.authority.reread()
    assert.equal(ca.authority.issuingPem, rotation.ca.issuing.certificate.pem)
    assert.equal(ca.authority.generation, 2)
    assert.equal(await verdict(ca, ca.authority, ca.authority.rootPem), 'stdin: OK')
  })

  it('makes a CA where there is none', async () => {
    await using temp = await tempFolder()
    const clock = { now: () => Date.now(), monotonic: () => 0 }
    const directory = join(temp.path, 'ca')
    const rotation = await rotateIssuing({
      directory,
      clock,
      issuedNames: ['api.openai.com'],
    })
    assert.equal(rotation.kind, 'made')
    assert.deepEqual((await readdir(directory)).sort(), settled)
  })

  it('drops no connection and no context that is in use', async () => {
    await using ca = await startCa()
    const contexts = new LeafContexts({
      authority: ca.authority,
      clock: ca.clock,
      max: 5,
    })
    const before = await contexts.contextFor('api.openai.com')
    await using server = await serveTls(before)
    const client = connect({
      port: server.port,
      host: '127.0.0.1',
      servername: 'api.openai.com',
      ca: ca.authority.rootPem,
    })
    await once(client, 'secureConnect')
    await rotateIssuing(ca.options)
    await ca.authority.reread()
    assert.notEqual(await contexts.contextFor('api.openai.com'), before)
    client.write('x')
    const [data] = (await once(client, 'data')) as [Buffer]
    assert.match(data.toString(), /200 OK/)
    client.destroy()
  })

  it('fails no handshake while it happens three times under load', async () => {
    await using ca = await startCa()
    const contexts = new LeafContexts({
      authority: ca.authority,
      clock: ca.clock,
      max: 5,
    })
    const keeper = new CaKeeper({
      authority: () => ca.authority,
      directory: ca.folder,
      clock: ca.clock,
      log: silentLog,
    })
    await keeper.start()
    await using server = await serveNames((name) => contexts.contextFor(name))
    let asked = 0
    const client = async (): Promise<void> => {
      while (asked < 400) {
        const name =
          asked++ % 2 === 0 ? 'api.openai.com' : `t${asked % 9}.openai.azure.com`
        assert.equal(await handshake(server.port, name, ca.authority.rootPem), true, name)
      }
    }
    const rotations = async (): Promise<void> => {
      for (const at of [100, 200, 300]) {
        while (asked < at)
          await handshake(server.port, 'api.openai.com', ca.authority.rootPem)
        await rotateIssuing(ca.options)
        await keeper.check()
      }
    }
    await Promise.all([...Array.from({ length: 8 }, client), rotations()])
    await keeper.stop()
    assert.equal(ca.authority.generation, 4)
  })

  it('lasts 398 days when a person gave the passphrase', async () => {
    const passphrase = new Secret('by hand')
    await using ca = await startCa({ passphrase })
    const rotation = await rotateIssuing({ ...ca.options, attended: true })
    const { notBeforeMs, notAfterMs } = rotation.ca.issuing.certificate
    assert.equal(notAfterMs - notBeforeMs, 398 * DAY_MS)
    const { passphrase: _, ...without } = ca.options
    await assert.rejects(rotateIssuing(without), { code: 'YORI_CA_PASSPHRASE' })
  })
})

describe('a new root', () => {
  it('serves devices that trust either root until it takes over', async () => {
    await using ca = await startCa()
    const oldRoot = ca.authority.rootPem
    await stageNewRoot(ca.options)
    await ca.authority.reread()
    const newRoot = ca.authority.staged?.rootPem ?? ''
    assert.equal(ca.authority.rootPem, oldRoot)
    assert.equal(ca.authority.generation, 2)
    assert.deepEqual((await readdir(ca.folder)).sort(), withStaged)
    for (const root of [oldRoot, newRoot]) {
      assert.equal(await verdict(ca, ca.authority, root), 'stdin: OK')
      assert.deepEqual(await believed(ca, ca.authority, root), [true, true])
    }

    await activateStagedRoot(ca.options)
    await ca.authority.reread()
    assert.equal(ca.authority.rootPem, newRoot)
    assert.equal(ca.authority.staged, undefined)
    assert.deepEqual((await readdir(ca.folder)).sort(), settled)
    assert.equal(await verdict(ca, ca.authority, newRoot), 'stdin: OK')
    assert.deepEqual(await believed(ca, ca.authority, oldRoot), [false, false])
    assert.equal((await openAuthority(ca.options)).rootPem, newRoot)
  })

  it('serves both also after the names changed and the issuing CA was replaced', async () => {
    await using ca = await startCa({ issuedNames: ['api.anthropic.com'] })
    await stageNewRoot(ca.options)
    const issuedNames = ['api.openai.com']
    const authority = await openAuthority({ ...ca.options, issuedNames })
    assert.equal(await verdict(ca, authority, authority.rootPem), 'stdin: OK')
    assert.equal(
      await verdict(ca, authority, authority.staged?.rootPem ?? ''),
      'stdin: OK',
    )
  })

  it('permits names that the operator added since', async () => {
    await using ca = await startCa({ issuedNames: ['api.openai.com', 'llm.example.com'] })
    assert.deepEqual(ca.authority.notPermitted, ['llm.example.com'])
    const options = { ...ca.options, permitted: ['example.com'] }
    await stageNewRoot(options)
    await activateStagedRoot(options)
    await ca.authority.reread()
    assert.deepEqual(ca.authority.notPermitted, [])
    assert.equal(ca.authority.permits('llm.example.com'), true)
  })

  it('is forgotten when it is cancelled', async () => {
    await using ca = await startCa()
    await stageNewRoot(ca.options)
    await assert.rejects(stageNewRoot(ca.options), { message: /is staged already/ })
    await cancelStagedRoot(ca.options)
    assert.deepEqual((await readdir(ca.folder)).sort(), settled)
    await assert.rejects(cancelStagedRoot(ca.options), { message: /no root is staged/ })
    await assert.rejects(activateStagedRoot(ca.options), { message: /no root is staged/ })
  })

  it('takes over on its date, while running and at start', async () => {
    await using ca = await startCa()
    await stageNewRoot(ca.options, ca.clock.now() + 10 * DAY_MS)
    await ca.authority.reread()
    const newRoot = ca.authority.staged?.rootPem
    ca.clock.nowMs += 9 * DAY_MS
    assert.equal(await ca.authority.renewIfDue(ca.clock.now()), false)
    ca.clock.nowMs += DAY_MS
    assert.equal(await ca.authority.renewIfDue(ca.clock.now()), true)
    assert.equal(ca.authority.rootPem, newRoot)
    await stageNewRoot(ca.options, ca.clock.now() + DAY_MS)
    ca.clock.nowMs += DAY_MS
    const later = await openAuthority(ca.options)
    assert.notEqual(later.rootPem, newRoot)
    assert.equal(later.usable(ca.clock.now()).kind, 'usable')
  })

  it('survives a kill before any step of staging and of taking over', async () => {
    for (const what of ['stage', 'activate']) {
      await using ca = await startCa()
      const oldRoot = ca.authority.rootPem
      if (what === 'activate') await stageNewRoot(ca.options)
      let killed = 0
      for (let step = 1; ; step++) {
        const end = await run(process.execPath, [
          child,
          ca.folder,
          what,
          String(step),
        ]).then(
          (outcome) => outcome.stdout.trim(),
          () => 'killed',
        )
        if (end !== 'killed') break
        killed += 1
        const again = await openAuthority(ca.options)
        assert.equal(again.usable(ca.clock.now()).kind, 'usable', `${what} ${step}`)
        assert.equal(await verdict(ca, again, again.rootPem), 'stdin: OK')
        // Either nothing happened or all of it; begin again from before.
        if (what === 'stage' && again.staged !== undefined)
          await cancelStagedRoot(ca.options)
        if (what === 'activate' && again.staged === undefined) {
          assert.notEqual(again.rootPem, oldRoot)
          await stageNewRoot(ca.options)
        }
      }
      assert.ok(killed >= 8, `${what}: ${killed} steps`)
    }
  })
})

describe('the root key', () => {
  it('leaves, is used from outside, and comes back', async () => {
    await using ca = await startCa()
    const passphrase = new Secret('on paper')
    await assert.rejects(rootKeyForExport(ca.options, undefined), {
      code: 'YORI_CA_PASSPHRASE',
    })
    const pem = await rootKeyForExport(ca.options, passphrase)
    assert.match(pem, /BEGIN ENCRYPTED PRIVATE KEY/)
    const gone = await takeRootKeyAway(ca.options)
    const { notBeforeMs, notAfterMs } = gone.issuing.certificate
    assert.equal(notAfterMs - notBeforeMs, 398 * DAY_MS)
    assert.ok(!(await readdir(ca.folder)).includes('root.key'))
    await ca.authority.reread()
    assert.equal(ca.authority.renewsItself, false)
    assert.equal(await verdict(ca, ca.authority, ca.authority.rootPem), 'stdin: OK')

    await assert.rejects(rotateIssuing(ca.options), { code: 'YORI_CA_MISSING' })
    const given = { pem, path: 'paper.key', passphrase }
    const rotated = await rotateIssuing(ca.options, given)
    assert.ok(!(await readdir(ca.folder)).includes('root.key'))
    const life = rotated.ca.issuing.certificate
    assert.equal(life.notAfterMs - life.notBeforeMs, 398 * DAY_MS)

    await bringRootKeyBack(ca.options, given)
    await assert.rejects(bringRootKeyBack(ca.options, given), {
      message: /is here already/,
    })
    assert.equal((await rotateIssuing({ ...ca.options, passphrase })).kind, 'rotated')
  })

  it('is opened by the configured passphrase after it came back with another one', async () => {
    await using ca = await startCa({ passphrase: new Secret('configured') })
    const pem = await readFile(join(ca.folder, 'root.key'), 'utf8')
    const opened = await run('openssl', ['pkey', '-passin', 'pass:configured'], pem)
    await takeRootKeyAway(ca.options)
    await bringRootKeyBack(ca.options, { pem: opened.stdout, path: 'plain.key' })
    assert.match(await readFile(join(ca.folder, 'root.key'), 'utf8'), /ENCRYPTED/)
    assert.equal((await openAuthority(ca.options)).renewsItself, true)
  })

  it('does not come back when it is another root’s', async () => {
    await using ca = await startCa()
    await takeRootKeyAway(ca.options)
    const { key } = await foreignRoot(ca)
    await assert.rejects(bringRootKeyBack(ca.options, key), {
      message: /foreign\.key does not belong to its certificate/,
    })
  })
})

describe('an imported root', () => {
  for (const [kind, key] of [
    ['EC', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['RSA', ['rsa:2048']],
  ] as const)
    it(`of ${kind} signs the issuing CA, which keeps its constraints`, async () => {
      await using ca = await startCa()
      await using temp = await tempFolder()
      const { cert, key: given } = await foreignRoot(ca, { key: [...key] })
      const options = { ...ca.options, directory: join(temp.path, 'ca') }
      assert.equal((await importRoot(options, cert, given)).kind, 'made')
      const authority = await openAuthority(options)
      assert.equal(authority.rootPem, cert.pem)
      assert.deepEqual(authority.notPermitted, [])
      assert.equal(await verdict(ca, authority, cert.pem), 'stdin: OK')
      assert.deepEqual(await believed(ca, authority, cert.pem), [true, true])
      assert.deepEqual(readCaCertificate(authority.issuingPem).permitted?.length, 3)
    })

  it('is staged where there is a CA, and both are served', async () => {
    await using ca = await startCa()
    const { cert, key } = await foreignRoot(ca)
    assert.equal((await importRoot(ca.options, cert, key)).kind, 'staged')
    await ca.authority.reread()
    assert.equal(await verdict(ca, ca.authority, ca.authority.rootPem), 'stdin: OK')
    assert.equal(await verdict(ca, ca.authority, cert.pem), 'stdin: OK')
  })

  for (const [what, options, says] of [
    ['no CA', { extensions: 'basicConstraints=CA:FALSE' }, /no CA certificate/],
    [
      'no room for an issuing CA',
      { extensions: 'basicConstraints=critical,CA:TRUE,pathlen:0' },
      /path length 0/,
    ],
    [
      'no right to sign certificates',
      { extensions: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign' },
      /keyUsage lacks keyCertSign/,
    ],
    ['a short RSA key', { key: ['rsa:1024'] }, /less than 2048 bits/],
    [
      'a key that YORI does not know',
      { key: ['ed25519'] },
      /neither an RSA nor an EC key/,
    ],
  ] as const)
    it(`is refused when it has ${what}, and nothing changes`, async () => {
      await using ca = await startCa()
      const { cert, key } = await foreignRoot(ca, options)
      await assert.rejects(importRoot(ca.options, cert, key), {
        code: 'YORI_CA_UNUSABLE',
        message: says,
      })
      assert.deepEqual((await readdir(ca.folder)).sort(), settled)
    })

  it('is refused when it expired, is not whole, or is another key’s', async () => {
    await using ca = await startCa()
    const { cert, key } = await foreignRoot(ca, { days: '2' })
    const cut = { ...cert, pem: cert.pem.slice(0, 200) }
    await assert.rejects(importRoot(ca.options, cut, key), { message: /no whole PEM/ })
    const other = await foreignRoot(ca)
    await assert.rejects(importRoot(ca.options, cert, other.key), {
      message: /does not belong to its certificate/,
    })
    ca.clock.nowMs += 3 * DAY_MS
    await assert.rejects(importRoot(ca.options, cert, key), { message: /expired at/ })
    assert.deepEqual((await readdir(ca.folder)).sort(), settled)
  })
})

describe('the keeper', () => {
  function keeperOf(ca: TestCa, changes: number[]): CaKeeper {
    return new CaKeeper({
      authority: () => ca.authority,
      directory: ca.folder,
      clock: ca.clock,
      log: silentLog,
      onChange: () => changes.push(ca.authority.generation),
    })
  }

  it('takes what was changed beside it, once', async () => {
    await using ca = await startCa()
    const changes: number[] = []
    const keeper = keeperOf(ca, changes)
    await keeper.start()
    await keeper.check()
    assert.deepEqual(changes, [])
    await rotateIssuing(ca.options)
    await keeper.check()
    await keeper.check()
    await keeper.stop()
    assert.deepEqual(changes, [2])
    const onDisk = await readFile(join(ca.folder, 'issuing.crt'), 'utf8')
    assert.equal(ca.authority.issuingPem, onDisk)
  })

  it('renews what is due', async () => {
    await using ca = await startCa()
    const changes: number[] = []
    const keeper = keeperOf(ca, changes)
    await keeper.start()
    ca.clock.nowMs = ca.authority.renewalDueMs
    await keeper.check()
    await keeper.stop()
    assert.deepEqual(changes, [2])
    const end = Date.parse(new X509Certificate(ca.authority.issuingPem).validTo)
    assert.ok(end > ca.clock.nowMs + 80 * DAY_MS)
  })

  it('goes on with what it has when the folder is damaged, and waits before it tries again', async () => {
    await using ca = await startCa()
    const changes: number[] = []
    const keeper = keeperOf(ca, changes)
    await keeper.start()
    const before = ca.authority.issuingPem
    await run('sh', [
      '-c',
      `chmod 0644 '${ca.folder}/issuing.key'; touch '${ca.folder}/issuing.crt'`,
    ])
    await keeper.check()
    assert.equal(ca.authority.issuingPem, before)
    await run('chmod', ['0600', `${ca.folder}/issuing.key`])
    await rotateIssuing(ca.options)
    await keeper.check()
    assert.deepEqual(changes, [])
    ca.clock.nowMs += 60_000
    await keeper.check()
    await keeper.stop()
    assert.deepEqual(changes, [2])
  })
})
