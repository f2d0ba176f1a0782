import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { packageFile } from '../../../src/core/package-root.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { endedExchanges, NAME, originCa, until } from '../../support/proxied.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { UdsAgent } from '../../support/uds-agent.js'
import type { Say } from '../../support/uds-agent.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'
import type { HttpVersion } from '../../support/yori.js'

const ANTHROPIC = 'api.anthropic.com'

/** What tells programs apart, of which some are told of a block by another status. */
const CLIENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  codex: { 'user-agent': 'codex_cli_rs/0.171.0 (Ubuntu 24.4.0; x86_64)' },
  'claude-code': { 'user-agent': 'claude-cli/2.1.197 (external, cli)' },
  copilot: { 'user-agent': 'OpenAI/JS 4.104.0', 'x-initiator': 'user' },
  curl: { 'user-agent': 'curl/8.14.1' },
}

describe('a processor that fails, and may not', () => {
  let folder: TempFolder
  let origin: Origin
  let yori: Yori
  let arrived = 0
  /** Told of the first bytes of each body that comes up. */
  let onBytes: () => void = () => undefined

  before(async () => {
    folder = await tempFolder()
    const certificate = originCa.issue({ names: [NAME, ANTHROPIC] })
    origin = await startOrigin({
      certificate,
      handler: (incoming, response) => {
        arrived++
        incoming.once('data', () => onBytes())
        incoming.resume()
        incoming.on('end', () => response.end('{}'))
      },
    })
    const entry = (name: string, more: object = {}) => ({
      ...{ name, address: folder.file(`${name}.sock`), fail_mode: 'closed' },
      ...{ events: ['request_headers', 'request_body'], routes: [{ path: `/${name}/` }] },
      ...more,
    })
    yori = await Yori.start({
      origins: { [NAME]: origin, [ANTHROPIC]: origin },
      trust: [originCa],
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        processors: [
          entry('absent'),
          entry('late_h1', { timeout_ms: 100 }),
          entry('late_h2', { timeout_ms: 100 }),
          entry('killed', { timeout_ms: 10_000 }),
          entry('coded', { events: 'request_body' }),
          entry('hanging', {
            timeout_ms: 60_000,
            routes: [
              { path: '/hanging/' },
              { provider: 'anthropic' },
              { device: '192.0.2.0/24' },
              { endpoint: 'other.example' },
            ],
          }),
        ],
      },
    })
  })
  after(async () => {
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    arrived = 0
    onBytes = () => undefined
  })

  function agentOf(name: string, say: Say): Promise<UdsAgent> {
    return UdsAgent.start(folder.file(`${name}.sock`), say)
  }

  async function post(
    path: string,
    fields: Record<string, string>,
    { version, host = NAME }: { version: HttpVersion; host?: string },
  ) {
    const { statusCode, headers, body } = await request(`https://${host}${path}`, {
      method: 'POST',
      dispatcher: yori.dispatcher(undefined, version),
      headers: { 'content-type': 'application/json', ...fields },
      body: '{"model":"m","messages":[]}',
    })
    const retry = headers['x-should-retry']
    return { status: statusCode, retry, said: (await body.json()) as Said }
  }

  interface Said {
    readonly type?: string
    readonly error: { readonly type: string; readonly message: string }
  }

  for (const version of HTTP_VERSIONS) {
    for (const [client, fields] of Object.entries(CLIENTS)) {
      it(`answers ${client} over ${version} as an outage does`, async () => {
        const path = '/absent/v1/chat/completions'
        const openai = await post(path, fields, { version })
        assert.equal(openai.status, 503)
        assert.equal(openai.said.error.type, 'server_error')
        assert.match(openai.said.error.message, /policy absent: absent /)
        const messages = '/absent/v1/messages'
        const other = await post(messages, fields, { version, host: ANTHROPIC })
        assert.equal(other.status, 503)
        assert.equal(other.said.type, 'error')
        assert.equal(other.said.error.type, 'overloaded_error')
        // The libraries of both go by the status, and try again.
        assert.deepEqual([openai.retry, other.retry], [undefined, undefined])
        assert.equal(arrived, 0)
      })
    }

    it(`answers 504 over ${version} where it is late`, async () => {
      await using _agent = await agentOf(`late_${version}`, () => 'nothing')
      const path = `/late_${version}/v1/chat/completions`
      const { status, said } = await post(path, CLIENTS['codex'] ?? {}, { version })
      assert.equal(status, 504)
      assert.match(said.error.message, /did not answer in time/)
      assert.equal(arrived, 0)
    })

    it(`answers 415 over ${version} to a body that nobody could show it`, async () => {
      const fields = { 'content-encoding': 'x-own' }
      const answer = await post('/coded/v1/chat/completions', fields, { version })
      assert.equal(answer.status, 415)
      assert.equal(answer.retry, 'false')
      assert.equal(arrived, 0)
    })

    it(`streams up at once over ${version} what is off its routes`, async () => {
      await using agent = await agentOf('hanging', () => 'nothing')
      const hasArrived = new Promise<void>((resolve) => (onBytes = resolve))
      const answer = await request(`https://${NAME}/elsewhere/v1/chat/completions`, {
        method: 'POST',
        dispatcher: yori.dispatcher(undefined, version),
        headers: { 'content-type': 'application/json' },
        // A body that was held would wait for its end, and this one for the provider.
        body: Readable.from(
          (async function* () {
            yield '{"model":"m",'
            await hasArrived
            yield '"messages":[]}'
          })(),
        ),
      })
      await answer.body.dump()
      assert.equal(answer.statusCode, 200)
      assert.deepEqual(agent.events, [])
    })
  }

  it('decides again once it was killed and started again', async function () {
    // It is not asked for 30 s by itself.
    this.timeout(20_000)
    const path = folder.file('killed.sock')
    const words = folder.file('words.txt')
    await writeFile(words, 'messages\n')
    const file = packageFile('dist/tools/processors/denylist.js')
    const start = (): ChildProcess =>
      spawn(process.execPath, [file, path, words], { stdio: 'ignore' })
    const statusOf = async (): Promise<number> =>
      (await post('/killed/v1/chat/completions', {}, { version: 'h1' })).status
    let child = start()
    const kill = async (): Promise<void> => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      await rm(path, { force: true })
    }
    try {
      await until(async () => (await statusOf()) === 403)
      await kill()
      for (let i = 0; i < 6; i++) assert.equal(await statusOf(), 503)
      const rows = await endedExchanges(yori, 1)
      assert.match(String(rows.at(-1)?.['reason']), /failed too often/)
      child = start()
      await until(async () => (await statusOf()) === 403)
      assert.equal(arrived, 0)
    } finally {
      await kill()
    }
  })
})
