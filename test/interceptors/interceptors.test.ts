/**
 * The interceptors of the configuration beside a whole YORI, as the document of that gateway
 * writes them: what each of them leaves behind of one call and one stream.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ProxyAgent } from 'undici'
import { loadConfig } from '../../config/load.js'
import { readRecordings } from '../../src/replay/recording-files.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { ChildYori } from '../support/child-yori.js'
import { openaiSdk } from '../support/sdk.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

/** Literally. */
const LIVE_TRACE = `
interceptors:
  - type: "live_trace"
    enabled: true
    config:
      server_port: 7100
      auto_open_browser: true
      storage_mode: "sqlite"  # "memory" (default) or "sqlite" for persistence
      enable_presidio: true   # PII detection
`
const PRINTER = `
interceptors:
  - type: "printer"
    enabled: true
    config:
      log_requests: true
      log_responses: true
      log_body: false
`
const KEY = 'ghp_k3J9vQ2xR7mT5wY8zB4nC6pL1sD0fGhAeUiO'

const text = (path: string): string => readFileSync(path, 'utf8')
const mode = (path: string): number => statSync(path).mode & 0o777

describe('interceptors', function () {
  this.timeout(60_000)
  let folder: TempFolder
  let stdout = ''
  let traces = ''
  let bearer: unknown
  let collector: Server
  const out = (name: string): string => folder.file(name)
  before(async () => {
    folder = await tempFolder()
    await using simulator = await Simulator.start()
    collector = createServer((request, response) => {
      bearer = request.headers.authorization
      request.on('data', (chunk: Buffer) => (traces += chunk.toString()))
      request.on('end', () => response.end('{}'))
    })
    collector.listen(0, '127.0.0.1')
    await once(collector, 'listening')
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    await using yori = await ChildYori.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        interceptors: [
          { type: 'printer', config: { log_body: true } },
          { type: 'message_logger', config: { output_dir: out('messages') } },
          { type: 'event_recorder', config: { output_dir: out('events') } },
          {
            type: 'http_recorder',
            config: { output_dir: out('http'), max_events_per_file: 4 },
          },
          {
            type: 'cylestio_trace',
            config: { api_url: endpoint, access_key: 'of-the-collector' },
          },
          { type: 'printer', enabled: false },
        ],
      },
    })
    const dispatcher = new ProxyAgent({
      uri: `http://127.0.0.1:${yori.port}`,
      requestTls: { ca: yori.rootPem },
    })
    const sdk = openaiSdk({ dispatcher })
    const call = {
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system' as const, content: 'You mend bicycles.' },
        { role: 'user' as const, content: `My token is ${KEY}` },
      ],
    }
    await sdk.chat.completions.create(call)
    const stream = await sdk.chat.completions.create({ ...call, stream: true })
    for await (const _chunk of stream);
    await sdk.models.list()
    await dispatcher.close()
    yori.cli.signal('SIGTERM')
    assert.equal(await yori.cli.exited, 0, yori.cli.stderr)
    stdout = yori.cli.stdout
  })
  after(async () => {
    collector.close()
    await folder[Symbol.asyncDispose]()
  })

  it('print a line for each request and answer, and what was said without keys', () => {
    assert.match(stdout, /^> POST api\.openai\.com\/v1\/chat\/completions gpt-4o-mini$/m)
    assert.match(
      stdout,
      /^< POST api\.openai\.com\/v1\/chat\/completions 200 response \d+ ms \d+\+\d+ tokens$/m,
    )
    assert.match(stdout, /My token is \[GITHUB_TOKEN\]/)
    assert.ok(!stdout.includes(KEY))
  })

  it('log messages as lines of JSON, for their owner alone', () => {
    const path = join(out('messages'), 'messages.jsonl')
    assert.equal(mode(path), 0o600)
    assert.equal(mode(out('messages')), 0o700)
    const [first] = text(path)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.equal(text(path).trim().split('\n').length, 2)
    assert.deepEqual(first?.['messages'], [
      { role: 'user', content: 'My token is [GITHUB_TOKEN]' },
    ])
    assert.equal(first?.['system'], 'You mend bicycles.')
    const { text: said } = first?.['response'] as { text: string }
    assert.match(said, /^gpt-4o-mini heard/)
  })

  it('log that there was a call where what was said is taken out, and nothing of it', async () => {
    await using simulator = await Simulator.start()
    await using yori = await ChildYori.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        mode: 'enforce',
        enforcement: { consent_accepted: true },
        policies: {
          files: { privacy: { action: 'block', params: { answer: 'redact' } } },
        },
        interceptors: [
          { type: 'message_logger', config: { output_dir: out('withheld') } },
        ],
      },
    })
    const dispatcher = new ProxyAgent({
      uri: `http://127.0.0.1:${yori.port}`,
      requestTls: { ca: yori.rootPem },
    })
    await openaiSdk({ dispatcher }).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'Write to kim@example.org about bridges' }],
    })
    await dispatcher.close()
    yori.cli.signal('SIGTERM')
    assert.equal(await yori.cli.exited, 0, yori.cli.stderr)
    const line = text(join(out('withheld'), 'messages.jsonl')).trim()
    const told = JSON.parse(line) as Record<string, unknown>
    assert.equal(told['withheld'], true)
    assert.equal(told['model'], 'gpt-4o-mini')
    assert.ok(!/kim@|bridges/.test(line), line)
  })

  it('record the events of a session in a file', () => {
    const names = readdirSync(out('events'))
    assert.ok(names.length >= 1)
    const all = names.map((name) => text(join(out('events'), name))).join('')
    for (const name of ['session.start', 'llm.call.start', 'llm.call.finish'])
      assert.ok(all.includes(`"name":"${name}"`), name)
  })

  it('record HTTP in files of so many events, which yori replay reads', async () => {
    const names = readdirSync(out('http')).sort()
    assert.deepEqual(names, ['recording_001.jsonl', 'recording_002.jsonl'])
    assert.equal(mode(out('http')), 0o700)
    for (const name of names) assert.equal(mode(join(out('http'), name)), 0o600)
    const { recordings, unread } = await readRecordings(out('http'))
    assert.deepEqual(unread, [])
    assert.deepEqual(
      recordings.map(({ request }) => request.method),
      ['POST', 'POST', 'GET'],
    )
    const all = names.map((name) => text(join(out('http'), name))).join('')
    assert.ok(!all.includes(KEY) && !all.includes('simulated-key'))
    assert.match(all, /"is_streaming":true/)
  })

  it('send spans to a collector', () => {
    assert.match(traces, /"resourceSpans"/)
    assert.match(traces, /gpt-4o-mini/)
    assert.equal(bearer, 'Bearer of-the-collector')
  })

  it('are read as that document writes them', () => {
    const read = (written: string) => {
      const path = out('config.yaml')
      writeFileSync(path, written)
      const found = loadConfig({ path, env: {}, cwd: folder.path })
      assert.ok(found.kind === 'ok', JSON.stringify(found))
      return found.config
    }
    const live = read(LIVE_TRACE)
    assert.equal(live.control.listen, '127.0.0.1:7100')
    assert.equal(live.policies.files['privacy']?.action, 'alert')
    const [one] = read(PRINTER).interceptors
    assert.equal(one?.type, 'printer')
    const { log_requests, log_responses, log_body } = one.config
    assert.deepEqual([log_requests, log_responses, log_body], [true, true, false])
    // What the file says of the dashboard itself holds.
    const own = read(`control: {listen: "127.0.0.1:9000"}\n${LIVE_TRACE}`)
    assert.equal(own.control.listen, '127.0.0.1:9000')
  })
})
