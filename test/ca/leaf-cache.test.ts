import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import { LeafContexts } from '../../ca/leaf-cache.js'
import type { LeafSource } from '../../ca/leaf-cache.js'
import { DAY_MS, run, serveTls, startCa } from './support/ca.js'
import type { TestCa } from './support/ca.js'

const HOUR_MS = 3_600_000

interface Counted {
  readonly source: LeafSource
  readonly asked: string[]
  generation: number
}

/** The authority, with a note of every name that it was asked for. */
function counted(ca: TestCa): Counted {
  const asked: string[] = []
  const counter: Counted = {
    asked,
    generation: 0,
    source: {
      leafKeyPem: ca.authority.leafKeyPem,
      get generation() {
        return counter.generation
      },
      mint: (name, nowMs) => {
        asked.push(name)
        return ca.authority.mint(name, nowMs)
      },
    },
  }
  return counter
}

function contextsOf(ca: TestCa, authority: LeafSource, max = 10): LeafContexts {
  return new LeafContexts({ authority, clock: ca.clock, max })
}

/** The certificate that a client gets from a server with this context, and how many come. */
async function served(
  context: SecureContext,
  ca: TestCa,
  servername: string,
): Promise<{ leaf: X509Certificate; authorized: boolean; length: number }> {
  await using server = await serveTls(context)
  const client: TLSSocket = connect({
    port: server.port,
    host: '127.0.0.1',
    servername,
    ca: ca.authority.rootPem,
  })
  await once(client, 'secureConnect')
  const leaf = client.getPeerX509Certificate()
  assert.ok(leaf !== undefined)
  const { authorized } = client
  client.destroy()
  const shown = await run(
    'openssl',
    [
      's_client',
      '-connect',
      `127.0.0.1:${server.port}`,
      '-servername',
      servername,
      '-showcerts',
    ],
    'x\n',
  )
  const length = shown.stdout.split('-----BEGIN CERTIFICATE-----').length - 1
  return { leaf, authorized, length }
}

describe('leaf contexts', () => {
  it('mint once for 100 who ask at the same time', async () => {
    await using ca = await startCa()
    const { source, asked } = counted(ca)
    const contexts = contextsOf(ca, source)

    const all = await Promise.all(
      Array.from({ length: 100 }, () => contexts.contextFor('api.openai.com')),
    )

    assert.deepEqual(asked, ['api.openai.com'])
    assert.equal(new Set(all).size, 1)
    assert.equal(contexts.get('api.openai.com'), all[0])
    assert.deepEqual(contexts.counters, { minted: 1, hits: 100, evicted: 0 })
  })

  it('serve a chain that a TLS client trusts by the root alone', async () => {
    await using ca = await startCa()
    const context = await contextsOf(ca, ca.authority).contextFor('api.openai.com')
    const { leaf, authorized, length } = await served(context, ca, 'api.openai.com')
    assert.equal(authorized, true)
    assert.equal(leaf.subjectAltName, 'DNS:api.openai.com')
    assert.equal(length, 2)
  })

  it('hold no more than their bound, and serve every name rightly beyond it', async () => {
    await using ca = await startCa()
    const contexts = contextsOf(ca, ca.authority, 3)
    const made = new Set<SecureContext>()
    let last: SecureContext | undefined
    for (let i = 0; i < 8; i++) {
      last = await contexts.contextFor(`t${i}.openai.azure.com`)
      made.add(last)
    }
    assert.equal(contexts.size, 3)
    assert.equal(made.size, 3)
    assert.deepEqual(contexts.counters, { minted: 8, hits: 0, evicted: 5 })
    assert.equal(contexts.get('t0.openai.azure.com'), undefined)
    assert.ok(last !== undefined)
    const { leaf, authorized, length } = await served(last, ca, 't7.openai.azure.com')
    assert.equal(authorized, true)
    assert.equal(leaf.subjectAltName, 'DNS:t7.openai.azure.com')
    assert.equal(length, 2)
  })

  it('leave a connection alone whose context goes to another name', async () => {
    await using ca = await startCa()
    const contexts = contextsOf(ca, ca.authority, 1)
    await using server = await serveTls(await contexts.contextFor('a.openai.azure.com'))
    const client = connect({
      port: server.port,
      host: '127.0.0.1',
      servername: 'a.openai.azure.com',
      ca: ca.authority.rootPem,
    })
    await once(client, 'secureConnect')
    await contexts.contextFor('b.openai.azure.com')
    client.write('x')
    const [data] = (await once(client, 'data')) as [Buffer]
    assert.match(data.toString(), /200 OK/)
    client.destroy()
  })

  it('mint anew from one hour before the leaf expires', async () => {
    await using ca = await startCa()
    const { source, asked } = counted(ca)
    const contexts = contextsOf(ca, source)
    const context = await contexts.contextFor('api.openai.com')
    const { leaf } = await served(context, ca, 'api.openai.com')
    const endMs = Date.parse(leaf.validTo)

    ca.clock.nowMs = endMs - HOUR_MS - 1_000
    assert.notEqual(contexts.get('api.openai.com'), undefined)
    ca.clock.nowMs = endMs - HOUR_MS
    assert.equal(contexts.get('api.openai.com'), undefined)
    await contexts.contextFor('api.openai.com')
    assert.equal(asked.length, 2)
  })

  it('mint a few times, and not each time, when the issuing CA ends within the hour', async () => {
    await using ca = await startCa()
    const { source, asked } = counted(ca)
    const contexts = contextsOf(ca, source)
    const endMs = Date.parse(new X509Certificate(ca.authority.issuingPem).validTo)
    ca.clock.nowMs = endMs - HOUR_MS / 2
    for (let i = 0; i < 5; i++) await contexts.contextFor('api.openai.com')
    assert.equal(asked.length, 1)
  })

  it('forget everything when the authority changed', async () => {
    await using ca = await startCa()
    const counter = counted(ca)
    const contexts = contextsOf(ca, counter.source)
    const before = await contexts.contextFor('api.openai.com')
    counter.generation += 1
    assert.equal(contexts.get('api.openai.com'), undefined)
    assert.equal(contexts.size, 0)
    assert.notEqual(await contexts.contextFor('api.openai.com'), before)
  })

  it('pass a refusal on to all who wait, and keep none', async () => {
    await using ca = await startCa()
    const contexts = contextsOf(ca, ca.authority)
    const both = await Promise.allSettled([
      contexts.contextFor('bank.example'),
      contexts.contextFor('bank.example'),
    ])
    for (const one of both) {
      assert.equal(one.status, 'rejected')
      assert.equal((one.reason as { code: string }).code, 'YORI_CA_NAME_NOT_PERMITTED')
    }
    assert.equal(contexts.size, 0)
    await contexts.contextFor('api.openai.com')
    assert.equal(contexts.size, 1)
  })

  it('refuse new names when too many wait, and serve those that are held', async () => {
    await using ca = await startCa()
    const contexts = new LeafContexts({
      authority: ca.authority,
      clock: ca.clock,
      max: 10,
      maxPending: 2,
    })
    const waiting = [1, 2].map((i) => contexts.contextFor(`t${i}.openai.azure.com`))
    await assert.rejects(contexts.contextFor('t3.openai.azure.com'), {
      code: 'YORI_TOO_MANY_CONNECTIONS',
    })
    await Promise.all(waiting)
    await contexts.contextFor('t3.openai.azure.com')
    assert.equal(contexts.size, 3)
  })

  it('give the leaf 90 days at most', async () => {
    await using ca = await startCa()
    const { leafPem } = ca.authority.mint('api.openai.com', ca.clock.now())
    const { validFrom, validTo } = new X509Certificate(leafPem)
    assert.ok(Date.parse(validTo) - Date.parse(validFrom) <= 90 * DAY_MS)
  })
})
