/** What a person sees as it happens: over the wire, by an SDK, in a process of its own. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Simulator } from '../../../../tools/sim/simulator.js'
import { logLine } from '../../../../src/cli/log-line.js'
import { watchColumns, watchLine } from '../../../../src/cli/watch-line.js'
import { packageFile } from '../../../../src/core/package-root.js'
import { openReader } from '../../../../src/audit/queries.js'
import { Cli, runCli } from '../../../support/cli.js'
import { needs } from '../../../support/needs.js'
import { runProgram } from '../../../support/programs.js'
import { openaiSdk } from '../../../support/sdk.js'
import { endedExchanges, until } from '../../../support/proxied.js'
import { tempFolder } from '../../../support/temp-folder.js'
import { AtTerminal } from '../../../support/terminal.js'
import { Yori } from '../../../support/yori.js'

const WORDS = 'Name the largest moon of Neptune'
const CARD = 'My card is 4111 1111 1111 1111'

describe('what happens', () => {
  let simulator: Simulator
  let yori: Yori
  before(async () => {
    simulator = await Simulator.start()
    yori = await Yori.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { privacy: { enabled: true, action: 'block' } } },
        audit: { bodies: 'both' },
      },
    })
  })
  after(async () => {
    await yori[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
  })

  const say = (content: string): Promise<unknown> =>
    openaiSdk({ dispatcher: yori.dispatcher() })
      .chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content }],
      })
      .catch((error: unknown) => error)
  const command = (...args: string[]): Cli =>
    new Cli(args, {
      cwd: yori.folder.path,
      env: { YORI_STATE_DIR: yori.folder.file('state') },
    })

  it('is a line each, in colour and without, and JSON for programs', async () => {
    await using plain = command('watch')
    await using coloured = command('watch', '--outcome', 'block', '--colour', 'always')
    await using json = command('watch', '--text', 'neptune', '--json')
    await plain.printed(/waiting for exchanges/)
    await coloured.printed(/waiting for exchanges/)
    // It says nothing of its own: a first row tells that it follows.
    await until(async () => {
      await say(WORDS)
      return json.stdout !== ''
    })
    await say(CARD)
    const [line] = await plain.printed(/.*Neptune.*/)
    assert.match(
      line,
      /^\d\d:\d\d:\d\d {2}\S+ .*gpt-4o-mini.*\d+\+\d+ .*\d+ ms.*"Name the/,
    )
    await plain.printed(/BLOCKED privacy: .*/)
    const [red] = await coloured.printed(/.*BLOCKED.*/)
    assert.match(red, /^\u001b\[31m\d\d:.*\u001b\[0m$/)
    assert.doesNotMatch(coloured.stdout, /Neptune/)
    const [first] = json.stdout.split('\n')
    const row = JSON.parse(first ?? '') as Record<string, unknown>
    assert.equal(row['model'], 'gpt-4o-mini')
    assert.match(String(row['request_body']), /Neptune/)
    plain.child.kill('SIGINT')
    assert.equal(await plain.exited, 0)
  })

  it('is shown whole by an id, its end, or a code', async () => {
    await say(CARD)
    const rows = await endedExchanges(yori, 2)
    const blocked = rows.find((row) => row['event_type'] === 'block')
    const id = String(blocked?.['request_id'])
    const env = { YORI_STATE_DIR: yori.folder.file('state') }
    const options = { cwd: yori.folder.path, env }
    const byId = await runCli(['audit', 'show', id], options)
    assert.match(byId.stdout, /policy_name +privacy/)
    assert.match(byId.stdout, /request body\n.*4111/)
    const byEnd = await runCli(['audit', 'show', id.slice(-12), '--json'], options)
    assert.equal((JSON.parse(byEnd.stdout) as Record<string, unknown>)['request_id'], id)
    const nobody = await runCli(['audit', 'show', 'ffffffffffff'], options)
    assert.match(nobody.stderr, /no exchange ffffffffffff is recorded/)
    assert.equal(nobody.status, 1)
    const wrong = await runCli(['audit', 'show', 'x y'], options)
    assert.match(wrong.stderr, /is no request id/)
    assert.equal(wrong.status, 2)
    const answer = (await say(CARD)) as { error?: { code?: string }; message: string }
    const code = /\b[0-9A-Z]{3}-[0-9A-Z]{3}\b/.exec(answer.message)?.[0] ?? 'no code'
    const byCode = await runCli(['audit', 'show', code, '--json'], options)
    assert.equal(
      (JSON.parse(byCode.stdout) as Record<string, unknown>)['event_type'],
      'block',
    )
    const listed = await runCli(['audit', 'list', '--code', code, '--json'], options)
    assert.equal((JSON.parse(listed.stdout) as unknown[]).length, 1)
  })

  it('is sent again by curl, and read by tools that read HAR', async () => {
    const quoted = `${WORDS}'s name; $(touch oops) "and" \\n`
    await say(quoted)
    using reader = openReader(yori.database)
    await until(() => [...reader.list({ text: 'oops' }, 1, ['id'])].length === 1)
    const [row] = [...reader.list({ text: 'oops' }, 1, reader.columns)]
    const env = { YORI_STATE_DIR: yori.folder.file('state') }
    const options = { cwd: yori.folder.path, env }
    const id = String(row?.['request_id'])
    const { stdout } = await runCli(['audit', 'show', id, '--as', 'curl'], options)
    // The shell says what curl is called with.
    const script = yori.folder.file('again.sh')
    writeFileSync(script, `curl() { printf '%s\\0' "$@"; }\n${stdout}`)
    const called = await runProgram('bash', [script], { cwd: yori.folder.path })
    const [url, ...args] = called.stdout.toString().split('\0')
    assert.equal(url, 'https://api.openai.com/v1/chat/completions')
    const body = args[args.indexOf('--data-binary') + 1] ?? ''
    assert.equal(body, row?.['request_body'])
    const sent = JSON.parse(body) as { messages: { content: string }[] }
    assert.equal(sent.messages[0]?.content, quoted)
    const shown = await runCli(['audit', 'show', id, '--as', 'har'], options)
    const { log } = JSON.parse(shown.stdout) as { log: Har }
    assert.equal(log.version, '1.2')
    assert.equal(log.entries.length, 1)
    const [entry] = log.entries
    assert.equal(entry?.request.postData.text, body)
    assert.equal(entry?.response.status, 200)
    assert.ok(Date.parse(entry?.startedDateTime ?? '') > Date.now() - 600_000)
    const { send, wait, receive } = entry?.timings ?? { send: 1, wait: 1, receive: 1 }
    assert.equal(send + wait + receive, entry?.time)
  })
})

const MAIN = packageFile('dist', 'src', 'cli', 'main.js')

interface Har {
  readonly version: string
  readonly entries: readonly {
    readonly startedDateTime: string
    readonly time: number
    readonly request: { readonly postData: { readonly text: string } }
    readonly response: { readonly status: number }
    readonly timings: Readonly<Record<'send' | 'wait' | 'receive', number>>
  }[]
}

describe('a line for a person', () => {
  const row = Object.fromEntries(watchColumns.map((name) => [name, null]))

  it('cannot move the cursor, and is no wider than the terminal', () => {
    const wild = {
      ...row,
      timestamp: '2026-01-01 00:00:00.000',
      client_ip: '192.0.2.1',
      model: '\u001b[2Jmodel',
      prompt_preview: `\u001b]0;title\u0007${'long '.repeat(100)}`,
      reason: 'line\nfeed',
    }
    const line = watchLine(wild, { colour: false, width: 80 })
    assert.equal(line.length, 80)
    assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f]/)
  })

  it('is made of the log, whatever it says', () => {
    const json = JSON.stringify({
      ...{ level: 40, time: 0, pid: 1, hostname: 'x', msg: 'slow\u001b[2J' },
      ...{ name: 'a b', err: { message: 'broken', stack: 's' }, left: 3 },
    })
    const line = logLine(`${json}\n`)
    assert.match(
      line,
      /^\d\d:\d\d:00 {2}WARN {3}slow\\u001b\[2J {2}name=a b {2}err=broken {2}left=3\n$/,
    )
    assert.equal(logLine('no json\u0007\n'), 'no json\\u0007\n')
  })
})

describe('YORI at a terminal', () => {
  it('shows what happens, and its log in words', async function () {
    needs(this, 'script', 'curl')
    await using simulator = await Simulator.start()
    await using folder = await tempFolder()
    writeFileSync(folder.file('ca.pem'), simulator.ca.certificatePem)
    const { address } = simulator
    const config = JSON.stringify({
      upstream: { extra_ca: ['ca.pem'], resolve: { 'api.openai.com': address } },
      log: { level: 'info' },
    })
    writeFileSync(folder.file('own.conf'), config)
    const state = folder.file('own')
    const line = `"${process.execPath}" "${MAIN}" run --config own.conf --state-dir "${state}" --host 127.0.0.1 --port 0`
    await using terminal = new AtTerminal(line, folder.path)
    const [, port] = await terminal.shows(/listening +127\.0\.0\.1:(\d+)/)
    await terminal.shows(/\d\d:\d\d:\d\d {2}info {3}YORI is running/)
    const curl = [
      ...['--silent', '--proxy', `http://127.0.0.1:${port}`, '--cacert'],
      ...[`${state}/yori-root.pem`, 'https://api.openai.com/v1/chat/completions'],
      ...['--header', 'content-type: application/json', '--data-binary'],
      JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: WORDS }] }),
    ]
    const asked = await runProgram('curl', curl, { cwd: folder.path })
    assert.equal(asked.status, 0, asked.stderr)
    await terminal.shows(/curl .*gpt-4o.*"Name the largest moon/)
  })
})
