/** TLS towards the servers of a fleet: whom they are taken for, and by whose roots. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Redis, redisAddress } from '../../src/fleet/counters/redis.js'
import { postgresAddress } from '../../src/fleet/ship/postgres/address.js'
import { Postgres } from '../../src/fleet/ship/postgres/postgres.js'
import { needs } from '../support/needs.js'
import { PostgresServer, freePort } from '../support/postgres-server.js'
import { RedisServer } from '../support/redis-server.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { TestCa } from '../support/test-ca.js'

const ca = new TestCa()
const { certificatePem: cert, keyPem: key } = ca.issue({ names: ['localhost'] })
const files = { 'cert.pem': cert, 'key.pem': key }

describe('TLS to the servers of a fleet', () => {
  let folder: TempFolder
  let roots: string
  before(async () => {
    folder = await tempFolder()
    roots = folder.file('roots.pem')
    writeFileSync(roots, ca.certificatePem)
  })
  after(() => folder[Symbol.asyncDispose]())

  it('takes a PostgreSQL for none but the one that it asked for', async function () {
    needs(this, 'PostgreSQL')
    await using server = await PostgresServer.start(
      ['ssl=on', 'ssl_cert_file={folder}/cert.pem', 'ssl_key_file={folder}/key.pem'],
      files,
    )
    const open = async (host: string, query: string, caFile?: string) => {
      const url = `postgres://yori@${host}:${server.port}/postgres?${query}`
      const address = () => postgresAddress(url, { caFile })
      const postgres = new Postgres({ gateway: 'tls', address })
      try {
        await postgres.open('00')
        return server.single(
          `select ssl from pg_stat_ssl join pg_stat_activity using (pid)
           where application_name = 'yori ship'`,
        )
      } finally {
        await postgres.close()
      }
    }
    assert.equal(await open('localhost', `sslmode=verify-full&sslrootcert=${roots}`), 't')
    assert.equal(await open('localhost', 'sslmode=verify-full', roots), 't')
    assert.equal(await open('127.0.0.1', `sslmode=verify-ca`, roots), 't')
    assert.equal(await open('127.0.0.1', 'sslmode=require'), 't')
    assert.equal(await open('127.0.0.1', 'sslmode=disable'), 'f')
    await assert.rejects(open('127.0.0.1', 'sslmode=verify-full', roots), /altnames|IP/i)
    await assert.rejects(open('localhost', 'sslmode=verify-full'), /certificate/)
  })

  it('takes a Redis for none but the one that it asked for', async function () {
    needs(this, 'redis-server')
    const port = await freePort()
    const tls = ['--tls-port', String(port), '--tls-auth-clients', 'no']
    const paths = ['cert', 'key'].flatMap((name) => [
      ...[`--tls-${name}-file`, `{folder}/${name}.pem`],
    ])
    const trusted = ['--tls-ca-cert-file', '{folder}/cert.pem']
    await using _server = await RedisServer.start([...tls, ...paths, ...trusted], files)
    const open = async (host: string, caFile?: string): Promise<string> => {
      const address = redisAddress(`rediss://${host}:${port}`, { caFile })
      const redis = await Redis.open(address, AbortSignal.timeout(10_000))
      const said = await redis.ask(['PING'])
      redis.close()
      return String(said)
    }
    assert.equal(await open('localhost', roots), 'PONG')
    await assert.rejects(open('127.0.0.1', roots), /altnames|IP/i)
    await assert.rejects(open('localhost'), /certificate/)
  })
})
