/** An endpoint with `route: refuse`, as the clients that people use meet it. */
import assert from 'node:assert/strict'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { curl, runProgram } from '../../support/programs.js'
import { certificate, NAME, originCa, until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'
import { needs } from '../../support/needs.js'

const REFUSED = 'bad.example.com'

interface Setup extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
  connection(): Promise<Row | undefined>
}

async function refusing(): Promise<Setup> {
  const origin = await startOrigin({ certificate })
  const yori = await Yori.start({
    origins: { [NAME]: origin, [REFUSED]: origin },
    trust: [originCa],
    config: { endpoints: [{ domain: NAME }, { domain: REFUSED, route: 'refuse' }] },
  })
  return {
    yori,
    origin,
    async connection() {
      let rows: Row[] = []
      await until(async () => (rows = await yori.rows('connections')).length > 0)
      return rows.at(-1)
    },
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

/** curl: the TLS handshake failed. */
const TLS_FAILED = 35

describe('a refused endpoint', () => {
  before(function () {
    needs(this, 'curl', 'openssl')
  })

  const ways = {
    'that is dialled': (yori: Yori) => [
      '--connect-to',
      `${REFUSED}:443:127.0.0.1:${yori.port}`,
    ],
    'by CONNECT': (yori: Yori) => ['--proxy', yori.url],
  } as const
  for (const [title, way] of Object.entries(ways)) {
    it(`${title} gives curl a TLS alert and no certificate`, async () => {
      await using setup = await refusing()
      const { yori } = setup
      const args = [...way(yori), '--verbose', '--cacert', yori.rootFile]
      const ran = await curl([...args, `https://${REFUSED}/v1/models`])
      assert.equal(ran.status, TLS_FAILED, ran.stderr)
      assert.match(ran.stderr, /alert access denied/)
      assert.equal(ran.stdout.length, 0)
      const row = await setup.connection()
      assert.equal(row?.['coverage'], 'refused')
      assert.equal(row['code'], 'YORI_ENDPOINT_REFUSED')
      assert.equal(row['name_class'], REFUSED)
      assert.equal(setup.origin.accepted, 0, 'nothing is dialled')
    })
  }

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`gives openssl s_client ${version} alert 49, RFC 8446 §6.2`, async () => {
      await using setup = await refusing()
      const args = ['s_client', '-connect', `127.0.0.1:${setup.yori.port}`, version]
      const ran = await runProgram('openssl', [...args, '-servername', REFUSED])
      assert.match(ran.stderr, /SSL alert number 49/)
      assert.match(ran.stdout.toString(), /no peer certificate available/)
      assert.equal((await setup.connection())?.['coverage'], 'refused')
    })
  }
})

describe('an endpoint under a policy that blocks', () => {
  for (const [title, options] of [
    ['another name inside a CONNECT to it', { servername: 'www.example.org' }],
    ['no name inside a CONNECT to it', { servername: '' }],
    ['a protocol that nobody here speaks', { ALPNProtocols: ['spdy/3.1'] }],
  ] as const)
    it(`is not reached past it with ${title}`, async () => {
      await using origin = await startOrigin({ certificate })
      await using yori = await Yori.start({
        origins: { [NAME]: origin },
        trust: [originCa],
        config: {
          mode: 'enforce',
          enforcement: { enabled: true, consent_accepted: true },
          policies: { default: 'default', files: { default: { action: 'block' } } },
        },
      })
      const { ALPNProtocols, ...rest } = { ALPNProtocols: undefined, ...options }
      const alpn =
        ALPNProtocols === undefined ? {} : { ALPNProtocols: [...ALPNProtocols] }
      await assert.rejects(yori.tls(NAME, { ...rest, ...alpn }), {
        code: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
      })
      let rows: Row[] = []
      await until(async () => (rows = await yori.rows('connections')).length > 0)
      assert.equal(rows[0]?.['coverage'], 'refused')
      assert.equal(rows[0]['code'], 'YORI_NOT_INSPECTABLE')
      assert.equal(origin.accepted, 0)
    })
})
