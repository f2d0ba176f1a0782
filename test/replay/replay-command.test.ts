/** What was recorded, once more: by a configuration, by other policies, as a provider, elsewhere. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { replayCommand } from '../../src/cli/commands/run/replay-command.js'
import { startReplayYori } from '../../src/cli/exec/replay-yori.js'
import { systemClock } from '../../src/core/clock.js'
import { writeRecording } from '../../src/replay/recording-files.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { runCli } from '../support/cli.js'
import { startRecorder } from '../support/recorded.js'
import { openaiSdk } from '../support/sdk.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { Yori } from '../support/yori.js'

/** As the document of that gateway has it. */
const CONFIG = `
server:
  port: 4000
  host: "0.0.0.0"

llm:
  base_url: "https://api.openai.com"
  type: "openai"
  api_key: "sk-your-key-here"
`
const POLICY = `package yori.no_recipes

deny contains "ask the cook" if contains(lower(input.said.person), "recipe")
`

interface Ran {
  readonly printed: string
  readonly noted: string
  readonly exit: number
}

describe('yori replay', function () {
  this.timeout(60_000)
  let folder: TempFolder
  let recordings: string
  before(async () => {
    folder = await tempFolder()
    recordings = folder.file('recordings')
    mkdirSync(recordings)
    await using simulator = await Simulator.start()
    const recorder = startRecorder()
    await using yori = await Yori.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
      observers: [recorder.observer],
    })
    const sdk = openaiSdk({ dispatcher: yori.dispatcher() })
    for (const content of ['A recipe for bread, please', 'What is the time?'])
      await sdk.chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content }],
      })
    for (const one of await recorder.stop()) await writeRecording(recordings, one)
  })
  after(() => folder[Symbol.asyncDispose]())

  async function replay(
    args: readonly string[],
    more: { env?: NodeJS.ProcessEnv; during?: (printed: string) => Promise<void> } = {},
  ): Promise<Ran> {
    const ran = { printed: '', noted: '', exit: 0 }
    await replayCommand({
      start: startReplayYori,
      env: more.env ?? {},
      clock: systemClock,
      askYesNo: () => Promise.resolve(undefined),
      ended: () => more.during?.(ran.printed) ?? Promise.resolve(),
      print: (text) => (ran.printed += text),
      note: (text) => (ran.noted += text),
      exit: (code) => (ran.exit = code),
    }).parseAsync([recordings, ...args], { from: 'user' })
    return ran
  }

  it('takes the line of the document as it stands', async () => {
    writeFileSync(folder.file('config.yaml'), CONFIG)
    const startedAt = performance.now()
    const ran = await runCli(
      ['replay', 'recordings/', '--config', 'config.yaml', '--delay', '0.5'],
      { cwd: folder.path },
    )
    assert.equal(ran.status, 0, ran.stderr)
    assert.match(ran.stderr, /2 exchanges replayed: every decision is as it was/)
    const line = 'POST api.openai.com/v1/chat/completions  200  allow\n'
    assert.equal(ran.stdout, line.repeat(2))
    assert.ok(performance.now() - startedAt >= 500)
  })

  it('says which decisions would differ by other policies', async () => {
    const policies = folder.file('policies')
    mkdirSync(policies)
    writeFileSync(`${policies}/no_recipes.rego`, POLICY)
    const { printed, noted } = await replay(['--policies', policies])
    const line = 'POST api.openai.com/v1/chat/completions  403  allow -> deny'
    assert.equal(printed, `${line} (no_recipes): ask the cook\n`)
    assert.match(noted, /2 exchanges replayed: 1 decisions would differ/)
  })

  it('is a provider until it is ended', async () => {
    const during = async (printed: string): Promise<void> => {
      const [, url] = /OPENAI_BASE_URL=(\S+)/.exec(printed) ?? []
      const answer = await fetch(`${url}/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
        body: JSON.stringify({
          messages: [{ content: 'What is the time?', role: 'user' }],
          model: 'gpt-4o-mini',
        }),
      })
      const { choices } = (await answer.json()) as {
        choices: { message: { content: string } }[]
      }
      assert.match(String(choices[0]?.message.content), /What is the time\?/)
    }
    const { noted, exit } = await replay(['--simulate'], { during })
    assert.match(noted, /1 answer from recordings; not asked for: 1/)
    assert.equal(exit, 0)
  })

  describe('elsewhere', () => {
    const heard: { url: string; key: string; model: string }[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => (text += chunk.toString()))
      request.on('end', () => {
        const { model } = JSON.parse(text) as { model: string }
        const key = String(request.headers.authorization)
        heard.push({ url: String(request.url), key, model })
        response.setHeader('content-type', 'application/json')
        const message = { role: 'assistant', content: 'Another answer.' }
        const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 }
        response.end(JSON.stringify({ model, choices: [{ message }], usage }))
      })
    })
    let url = ''
    before(async () => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
    })
    after(() => server.close())

    it('asks another model of another server, by the key of the environment', async () => {
      const { printed, noted, exit } = await replay(
        ['--against', url, '--model', 'gpt-4o', '--yes'],
        { env: { OPENAI_API_KEY: 'of-the-environment' } },
      )
      const one = { url: '/v1/chat/completions', key: 'Bearer of-the-environment' }
      assert.deepEqual(heard, Array(2).fill({ ...one, model: 'gpt-4o' }))
      // 7 and 15, 5 and 13 tokens of then, at 2.50 and 10 dollars for a million.
      assert.match(noted, /^yori: 2 calls to \S+ for gpt-4o: about \$0\.000311\n/)
      assert.match(
        printed,
        /was 200, .*\n {2}now 200, \d+ ms, 5 tokens out: Another answer\./,
      )
      assert.equal(exit, 0)
    })

    it('sends nothing without a key, and nothing without a yes', async () => {
      heard.length = 0
      await assert.rejects(replay(['--model', 'gpt-4o', '--yes']), /set OPENAI_API_KEY/)
      const env = { OPENAI_API_KEY: 'k' }
      await assert.rejects(replay(['--against', url], { env }), /say --yes/)
      assert.deepEqual(heard, [])
    })
  })
})
