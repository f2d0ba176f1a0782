/**
 * Programs of Node that know nothing of proxies, with the packages' own transports: each of them
 * comes through YORI, is believed, and is counted at the end.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { Simulator } from '../../../../tools/sim/simulator.js'
import { packageFile } from '../../../../src/core/package-root.js'
import { execReport } from '../../../../src/cli/exec/exec-report.js'
import { runCli } from '../../../support/cli.js'
import type { CliRan } from '../../../support/cli.js'
import { needs } from '../../../support/needs.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'

const CALL = `({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Say hello' }] })`
const REQUIRE = `require('node:module').createRequire(${JSON.stringify(packageFile('package.json'))})`

const HEADERS = `const headers = { authorization: 'Bearer k' }\n`

/** By what a program is: CommonJS. Each makes one request. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'the openai package': `
    const { OpenAI } = ${REQUIRE}('openai')
    new OpenAI({ apiKey: 'k', maxRetries: 0 }).chat.completions.create${CALL}
      .then((answer) => console.log(answer.choices[0].message.content !== ''))`,
  'the anthropic package': `
    const { Anthropic } = ${REQUIRE}('@anthropic-ai/sdk')
    new Anthropic({ apiKey: 'k', maxRetries: 0 }).messages
      .create({ max_tokens: 9, ...${CALL}, model: 'claude-opus-4-5' })
      .then((answer) => console.log(answer.content[0].text !== ''))`,
  'node:https': `
    require('node:https').get('https://api.openai.com/v1/models', { headers }, (answer) => {
      answer.resume()
      console.log(answer.statusCode === 200)
    })`,
  'an https agent of its own': `
    const https = require('node:https')
    const agent = new https.Agent({ keepAlive: false, maxSockets: 1 })
    https.get({ host: 'api.openai.com', path: '/v1/models', agent, headers }, (answer) => {
      answer.resume()
      console.log(answer.statusCode === 200)
    })`,
  'node:http2': `
    const session = require('node:http2').connect('https://api.openai.com')
    const stream = session.request({ ':path': '/v1/models', ...headers })
    stream.on('response', (head) => {
      console.log(head[':status'] === 200)
      session.close()
    })
    stream.resume()`,
  'an undici of its own': `
    ${REQUIRE}('undici').request('https://api.openai.com/v1/models', { headers })
      .then(({ statusCode, body }) => body.dump().then(() => console.log(statusCode === 200)))`,
  'a worker thread': `
    const { Worker, isMainThread } = require('node:worker_threads')
    if (isMainThread) new Worker(__filename)
    else
      fetch('https://api.openai.com/v1/models', { headers })
        .then((answer) => console.log(answer.status === 200))`,
  'a worker whose program is a text': `
    const { Worker } = require('node:worker_threads')
    const source = \`fetch('https://api.openai.com/v1/models', { headers: \${JSON.stringify(headers)} })
      .then((answer) => console.log(answer.status === 200))\`
    new Worker(source, { eval: true })`,
  'a child of a child': `
    const { execFileSync } = require('node:child_process')
    const source = \`fetch('https://api.openai.com/v1/models', { headers: \${JSON.stringify(headers)} })
      .then((answer) => console.log(answer.status === 200))\`
    console.log(execFileSync(process.execPath, ['-e', source]).toString().trim() === 'true')`,
}

describe('yori exec with Node', () => {
  let simulator: Simulator
  let folder: TempFolder
  let temp: string
  before(async () => {
    simulator = await Simulator.start()
    folder = await tempFolder()
    writeFileSync(folder.file('origin.pem'), simulator.ca.certificatePem)
    const resolve = {
      'api.openai.com': simulator.address,
      'api.anthropic.com': simulator.address,
    }
    const config = { upstream: { extra_ca: ['origin.pem'], resolve } }
    writeFileSync(folder.file('yori.conf'), JSON.stringify(config))
    temp = folder.file('temp')
    mkdirSync(temp)
  })
  after(async () => {
    await simulator[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const exec = (...words: string[]): Promise<CliRan> =>
    runCli(['exec', '--ephemeral', '--config', folder.file('yori.conf'), ...words], {
      cwd: folder.path,
      // Its own: others that run here have theirs.
      env: { PATH: process.env['PATH'], NODE_OPTIONS: '--no-warnings', TMPDIR: temp },
    })

  it('leads every kind of client, each in a process of its own', async () => {
    const files = Object.entries(PROGRAMS).map(([what, source], i) => {
      writeFileSync(folder.file(`p${i}.cjs`), HEADERS + source)
      return [what, folder.file(`p${i}.cjs`)] as const
    })
    writeFileSync(
      folder.file('all.mjs'),
      `import { spawnSync } from 'node:child_process'
       for (const [what, file] of ${JSON.stringify(files)}) {
         const { stdout, stderr } = spawnSync(process.execPath, [file])
         console.log(what + ': ' + stdout.toString().trim() + stderr.toString().slice(0, 500))
       }`,
    )
    const ran = await exec('--', process.execPath, folder.file('all.mjs'))
    assert.equal(
      ran.stdout,
      Object.keys(PROGRAMS)
        .map((what) => `${what}: true\n`)
        .join(''),
      ran.stderr,
    )
    assert.match(ran.stderr, /^yori: 9 connections came through YORI/m)
    assert.match(ran.stderr, /9 requests recorded, \d+ tokens, \$/)
    assert.equal(ran.status, 0)
    assert.deepEqual(readdirSync(temp), [], 'an ephemeral YORI left something behind')
  })

  it('gives SDKs a base URL when asked to, and never over one that is set', async () => {
    writeFileSync(
      folder.file('based.cjs'),
      `const { OpenAI } = ${REQUIRE}('openai')
       const { Anthropic } = ${REQUIRE}('@anthropic-ai/sdk')
       const main = async () => {
         const chat = await new OpenAI({ apiKey: 'k', maxRetries: 0 }).chat.completions.create${CALL}
         console.log(chat.choices[0].message.content !== '')
         const client = new Anthropic({ apiKey: 'k', maxRetries: 0 })
         let events = 0
         const asked = { max_tokens: 9, ...${CALL}, model: 'claude-opus-4-5', stream: true }
         for await (const event of await client.messages.create(asked)) events += 1
         console.log(events > 3)
       }
       main().catch((error) => console.log(error))`,
    )
    // Nothing else leads them: this Node's fetch knows no proxy, and nothing runs before it.
    const words = ['--base-url', '--no-preload', '--', process.execPath]
    const ran = await exec(...words, folder.file('based.cjs'))
    assert.equal(ran.stdout, 'true\ntrue\n', ran.stderr)
    assert.match(ran.stderr, /came through YORI \(by base URL\).*; 2 requests recorded/)
    const kept = await runCli(
      [
        ...['exec', '--ephemeral', '--config', folder.file('yori.conf'), '--base-url'],
        ...['--', process.execPath, '-p', 'process.env.ANTHROPIC_BASE_URL'],
      ],
      {
        cwd: folder.path,
        env: { PATH: process.env['PATH'], ANTHROPIC_BASE_URL: 'http://gateway.example' },
      },
    )
    assert.equal(kept.stdout, 'http://gateway.example\n')
    assert.match(kept.stderr, /ANTHROPIC_BASE_URL is set already, and stays as it is/)
  })

  for (const [model, said] of [
    ['gpt-4o-mini', /it has spent \$0\.0000\d+ of \$0\.000001: it is ended/],
    [
      'gpt-99',
      /it has spent \$\d\.\d+ of \$0\.000001 \(of that at most \$\d\.\d+ without a known/,
    ],
  ] as const)
    it(`ends a program that has spent more than it may, with ${model}`, async () => {
      writeFileSync(
        folder.file('spender.mjs'),
        `for (let i = 0; i < 600; i++) {
         const body = JSON.stringify({ ...${CALL}, model: '${model}' })
         await (await fetch('https://api.openai.com/v1/chat/completions', {
           method: 'POST', body, headers: { 'content-type': 'application/json', authorization: 'Bearer k' },
         })).text()
         await new Promise((resolve) => setTimeout(resolve, 100))
       }`,
      )
      const words = ['--max-usd', '0.000001', '--', process.execPath]
      const ran = await exec(...words, folder.file('spender.mjs'))
      assert.match(ran.stderr, said)
      assert.equal(ran.status, 124)
    })

  it('says what went past it', async function () {
    needs(this, 'Linux', 'root')
    const here = `127.${process.pid % 250}.${(process.pid >> 8) % 250}.7`
    const server = createServer((socket) => socket.resume())
    server.listen(443, here)
    await once(server, 'listening')
    try {
      assert.equal((server.address() as AddressInfo).port, 443)
      writeFileSync(
        folder.file('past.mjs'),
        `import { connect } from 'node:net'
         const socket = connect(443, '${here}')
         setTimeout(() => socket.destroy(), 2500)`,
      )
      const ran = await exec('--', process.execPath, folder.file('past.mjs'))
      assert.match(ran.stderr, /^yori: 0 of 1 connections came through YORI/m)
      assert.ok(ran.stderr.includes(`at least 1 went past it, to ${here}`), ran.stderr)
    } finally {
      server.close()
    }
  })

  it('says that nothing was seen, and keeps the exit code', async () => {
    const ran = await exec('--', 'sh', '-c', 'exit 3')
    assert.equal(ran.status, 3)
    assert.match(ran.stderr, /made no connection that was seen/)
    const quiet = await exec('--no-summary', '--', 'true')
    assert.equal(quiet.stderr, '')
  })

  it('keeps its files where others are when it is not ephemeral', async () => {
    const env = { PATH: process.env['PATH'], YORI_STATE_DIR: folder.file('kept') }
    const words = ['--config', folder.file('yori.conf'), '--']
    const script = `fetch('https://api.openai.com/v1/models', { headers: { authorization: 'Bearer k' } }).then((a) => console.log(a.status))`
    const options = { cwd: folder.path, env }
    const ran = await runCli(['exec', ...words, process.execPath, '-e', script], options)
    assert.match(ran.stderr, /none runs at .*: this program gets one of its own/)
    assert.equal(ran.stdout, '200\n')
    const config = ['--config', join(folder.path, 'yori.conf')]
    const listed = await runCli(['audit', 'list', '--json', ...config], options)
    const [row] = JSON.parse(listed.stdout) as Record<string, string>[]
    assert.equal(row?.['http_path'], '/v1/models')
    assert.deepEqual(
      [row['program'], row['program_folder']],
      [basename(process.execPath), realpathSync(folder.path)],
    )
    assert.match(row['tags'] ?? '', /"exec":"[0-9a-f]{12}"/)
  })
})

describe('the last line of yori exec', () => {
  const recorded = {
    ...{ exchanges: 2, blocked: 1, tokens: 30, microUsd: 1200 },
    ...{ atMostMicroUsd: 2_500_000, unpriced: 1, uncounted: 0 },
  }

  it('counts what came, what was not taken, and what went past', () => {
    const relayed = { connections: 4, failed: 1, names: new Map([['a.test', 4]]) }
    assert.equal(
      execReport({ relayed, passedBy: new Set(['192.0.2.7']), recorded }),
      'yori: 3 of 5 connections came through YORI (a.test); 1 were not taken by it; ' +
        'at least 1 went past it, to 192.0.2.7; ' +
        '2 requests recorded, 1 blocked, 30 tokens, $0.001200 ' +
        '(1 without a known price: at most $2.5000 more)\n',
    )
  })
})
