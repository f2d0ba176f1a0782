/**
 * What else may be wrong with targets of a pool, over HTTP/1.1 and HTTP/2 to them: a name that
 * does not resolve, a certificate that is not believed; and what must not change by it: HEAD, an
 * upload that has begun, and which of several serves a device.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request as ask } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'undici'
import type { Device } from '../../../src/core/record.js'
import { FickleOrigin } from '../../support/fickle-origin.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const MAC = '02:00:00:00:00:07'
const KINDS = ['h1', 'h2'] as const

describe('a pool, some of whose targets nobody can reach', () => {
  let folder: TempFolder
  let yori: Yori
  let plain: FickleOrigin
  let origins: Readonly<Record<(typeof KINDS)[number], FickleOrigin>>
  let foreign: FickleOrigin

  before(async () => {
    folder = await tempFolder()
    const ca = new TestCa()
    const certificate = ca.issue({ names: ['well.h1.test', 'well.h2.test'] })
    const strange = new TestCa('Another').issue({ names: ['strange.test'] })
    plain = await FickleOrigin.start()
    origins = {
      h1: await FickleOrigin.start({ certificate }),
      h2: await FickleOrigin.start({ certificate, h2: true }),
    }
    foreign = await FickleOrigin.start({ certificate: strange })
    const catalogue = folder.file('catalogue.yaml')
    const entry = { upstream: 'h2', speaks: 'openai', route: 'intercept' }
    const providers = [{ name: 'over-h2', hosts: ['well.h2.test'], ...entry }]
    await writeFile(catalogue, JSON.stringify({ providers }))
    const troubled = (kind: string): object => ({
      pool: [
        { name: 'gone', base_url: 'https://gone.test' },
        { name: 'strange', base_url: 'https://strange.test', priority: 1 },
        { name: 'well', base_url: `https://well.${kind}.test`, priority: 2 },
      ],
    })
    const places = ['a', 'b', 'c', 'd'].map((name) => ({
      name,
      base_url: `http://${plain.address}/${name}`,
    }))
    yori = await Yori.start({
      trust: [ca],
      origins: {
        'strange.test': foreign,
        'well.h1.test': origins.h1,
        'well.h2.test': origins.h2,
      },
      config: {
        catalogue: { file: catalogue },
        // Nobody is there: whatever is not said above does not resolve.
        upstream: { dns: ['127.0.0.1:9'] },
        access: { clients: ['127.0.0.0/8'] },
        gateway: {
          pools: {
            ...{ eject_after: 1000, breaker_requests: 10_000, health_interval: 0 },
            body_bytes: 65_536,
          },
          providers: {
            h1: troubled('h1'),
            h2: troubled('h2'),
            'upload-h1': twice('h1'),
            'upload-h2': twice('h2'),
            hashed: { balance: 'consistent_hash', pool: places },
            closed: {
              base_url: 'https://gone.test',
              fallback: [{ provider: 'hashed' }],
            },
          },
        },
      },
    })
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    for (const one of [plain, foreign, origins.h1, origins.h2])
      await one[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** The same server under two names: whoever came twice was sent twice. */
  function twice(kind: string): object {
    const base_url = `https://well.${kind}.test`
    return { pool: ['one', 'two'].map((name) => ({ name, base_url })) }
  }

  for (const mode of ['observe', 'enforce'] as const)
    for (const kind of KINDS)
      describe(`in ${mode}, over ${kind} to the one that is well`, () => {
        before(() =>
          yori.reload({
            mode,
            enforcement: {
              enabled: mode === 'enforce',
              consent_accepted: mode === 'enforce',
            },
          }),
        )
        afterEach(async () => {
          await origins[kind].turn('well')
          origins[kind].arrived.length = 0
        })

        for (const method of ['GET', 'HEAD', 'POST'] as const)
          it(`serves ${method}, and says what was wrong with the others`, async () => {
            const answer = await request(`${yori.url}/llm/${kind}/v1/chat/completions`, {
              method,
              headers: { 'content-type': 'application/json' },
              body: method === 'POST' ? '{"model":"m","messages":[]}' : null,
            })
            const bytes = await answer.body.text()
            assert.equal(answer.headers['x-yori-upstream'], 'well')
            assert.equal(answer.headers['x-yori-retries'], '2')
            if (method === 'HEAD') assert.equal(bytes, '')
            assert.ok(answer.statusCode < 500, String(answer.statusCode))
            const row = (await yori.rows('exchanges')).at(-1)
            assert.deepEqual(JSON.parse(String(row?.['attempts'])), [
              'gone YORI_UPSTREAM_UNRESOLVED',
              'strange YORI_UPSTREAM_UNTRUSTED',
              `well ${answer.statusCode}`,
            ])
          })

        it('never sends an upload again that has begun', async () => {
          // On a connection that has served before, closing it would mean that it is old.
          await origins[kind].turn('refuses')
          await origins[kind].turn('cuts-head')
          const asked = ask(`${yori.url}/llm/upload-${kind}/v1/files`, { method: 'POST' })
          const answered = once(asked, 'response') as Promise<[IncomingMessage]>
          // What is longer than is read whole, or of no length that anybody knows.
          for (let i = 0; i < 40; i++) asked.write(Buffer.alloc(65_536, 'x'))
          asked.end()
          const outcome = await answered.then(
            ([{ statusCode }]) => Number(statusCode),
            () => 0,
          )
          asked.destroy()
          // An answer that is no success, or a break.
          assert.ok(outcome === 0 || outcome >= 500, String(outcome))
          assert.equal(origins[kind].arrived.length, 1)
        })
      })

  it('knows a device by the same at its own door and as a fallback', async () => {
    const services = yori.appliance.current.services as {
      identify: (address: string) => Promise<Device>
    }
    const { identify } = services
    const served = async (door: string, localAddress: string): Promise<string> => {
      const agent = new Agent({ localAddress })
      try {
        const answer = await request(`${yori.url}/llm/${door}/v1/models`, {
          dispatcher: agent,
        })
        await answer.body.dump()
        return String(answer.headers['x-yori-upstream'])
      } finally {
        await agent.destroy()
      }
    }
    const addresses = [2, 3, 4, 5, 6, 7, 8, 9].map((n) => `127.0.0.${n}`)
    const apart = new Set<string>()
    for (const address of addresses) apart.add(await served('closed', address))
    assert.ok(apart.size > 1, 'other devices go elsewhere')
    services.identify = (ip) => Promise.resolve({ ip, mac: MAC })
    try {
      const seen = new Set<string>()
      for (const address of addresses)
        for (const door of ['closed', 'hashed']) seen.add(await served(door, address))
      assert.equal(seen.size, 1, [...seen].join())
    } finally {
      services.identify = identify
    }
  })
})
