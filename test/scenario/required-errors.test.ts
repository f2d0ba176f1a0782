/**
 * The error cases that the project was begun with, each by its name: what the client gets is
 * the provider's own error, and the exchange is recorded.
 */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { request } from 'undici'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { startOrigin } from '../support/origins.js'
import {
  behind,
  certificate,
  endedExchanges,
  NAME,
  originCa,
} from '../support/proxied.js'
import { tempFolder } from '../support/temp-folder.js'
import { TestCa } from '../support/test-ca.js'
import { Yori } from '../support/yori.js'

interface Answered {
  readonly status: number
  readonly error: { readonly code: string; readonly message: string }
}

async function asked(yori: Yori, url = `https://${NAME}/v1/models`): Promise<Answered> {
  const answer = await request(url, { dispatcher: yori.dispatcher() })
  const body = (await answer.body.json()) as Partial<Answered>
  const error = body.error ?? { code: '', message: '' }
  return { status: answer.statusCode, error }
}

function lines(): { log: ReturnType<typeof pino>; text: () => string } {
  const said: string[] = []
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      said.push(chunk.toString())
      done()
    },
  })
  return { log: pino(sink), text: () => said.join('') }
}

describe('required error case', () => {
  it('upstream timeout: 504 Gateway Timeout', async () => {
    await using setup = await behind(() => undefined, {
      proxy: { upstream_timeout: 0.2 },
    })
    const { status, error } = await asked(setup.yori)
    assert.deepEqual([status, error.code], [504, 'YORI_UPSTREAM_TIMEOUT'])
    const [row] = await endedExchanges(setup.yori, 1)
    assert.deepEqual([row?.['event_type'], row?.['response_status']], ['error', 504])
  })

  it('upstream connection error: 502 Bad Gateway', async () => {
    const gone = await startOrigin()
    await gone[Symbol.asyncDispose]()
    await using yori = await Yori.start({ origins: { [NAME]: gone } })
    const { status, error } = await asked(yori)
    assert.deepEqual([status, error.code], [502, 'YORI_UPSTREAM_UNREACHABLE'])
    const [row] = await endedExchanges(yori, 1)
    assert.deepEqual([row?.['event_type'], row?.['response_status']], ['error', 502])
  })

  it('invalid TLS certificate: an error of the gateway, and a line in the log', async () => {
    const stranger = new TestCa().issue({ names: [NAME] })
    let served = 0
    await using origin = await startOrigin({
      certificate: stranger,
      handler: (_incoming, response) => {
        served++
        response.end('{}')
      },
    })
    const { log, text } = lines()
    await using yori = await Yori.start({ origins: { [NAME]: origin }, log })
    const { status, error } = await asked(yori)
    assert.deepEqual([status, error.code], [502, 'YORI_UPSTREAM_UNTRUSTED'])
    assert.equal(served, 0)
    assert.match(text(), /YORI_UPSTREAM_UNTRUSTED/)
  })

  it('unknown host: 404 Not Found', async () => {
    await using setup = await behind((_incoming, response) => response.end('{}'))
    const answer = await request(`http://127.0.0.1:${setup.yori.port}/v1/models`, {
      headers: { host: 'unknown.example' },
    })
    const { error } = (await answer.body.json()) as {
      error: { code: string; request_id: string }
    }
    assert.deepEqual([answer.statusCode, error.code], [404, 'YORI_UNKNOWN_HOST'])
    assert.ok(error.request_id.length > 0)
  })

  it('policy evaluation error: allow by default, log error', async () => {
    await using folder = await tempFolder()
    // Evaluates for some inputs only: here it is two values for one rule.
    const rego = 'package yori.broken\ndeny := 1 if input.request.method == "GET"\n'
    writeFileSync(folder.file('broken.rego'), rego)
    const { log, text } = lines()
    await using origin = await startOrigin({
      certificate,
      handler: (_incoming, response) => response.end('{}'),
    })
    const start = (failMode: string): Promise<Yori> =>
      Yori.start({
        origins: { [NAME]: origin },
        trust: [originCa],
        log,
        config: {
          mode: 'enforce',
          enforcement: { enabled: true, consent_accepted: true },
          policies: {
            directory: folder.path,
            files: { broken: { action: 'block', fail_mode: failMode } },
          },
        },
      })
    await using open = await start('open')
    assert.equal((await asked(open)).status, 200)
    assert.match(text(), /policies could not be evaluated/)
    await using closed = await start('closed')
    assert.equal((await asked(closed)).status, 403)
  })

  it('audit log error: continue processing, log error', async () => {
    const { log, text } = lines()
    await using origin = await startOrigin({
      certificate,
      handler: (_incoming, response) => response.end('{}'),
    })
    await using folder = await tempFolder()
    writeFileSync(folder.file('a-file'), '')
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      log,
      // Nothing can be made below a file.
      config: { audit: { database: folder.file('a-file/audit.db') } },
    })
    assert.equal((await asked(yori)).status, 200)
    assert.match(text(), /audit/)
    rmSync(folder.file('a-file'))
  })
})
