/**
 * The programs of docs/APPS.md, as they stand there: each says through a door of YORI what it says
 * when it asks its provider directly. What the machine does not have is skipped by name.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { packageFile } from '../../src/core/package-root.js'
import { createKey } from '../../src/household/keys.js'
import { startLlmOrigin } from '../support/llm-origin.js'
import type { LlmOrigin } from '../support/llm-origin.js'
import { needs } from '../support/needs.js'
import type { Need } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { Yori } from '../support/yori.js'

const run = promisify(execFile)
const MAX_LINES = 15
const VENDOR = 'the-key-of-the-vendor'

/** By the word after a block's fence: its file, how it is run, and what that takes. */
const LANGUAGES: Readonly<
  Record<string, readonly [string, readonly string[], ...Need[]]>
> = {
  bash: ['ask.sh', ['sh'], 'curl'],
  js: ['ask.mjs', [process.execPath]],
  mjs: ['plain.mjs', [process.execPath]],
  jsx: ['chain.mjs', [process.execPath]],
  python: ['ask.py', ['python3'], 'python3'],
  php: ['ask.php', ['php'], 'php'],
  java: ['Ask.java', ['java'], 'java', 'javac'],
  go: ['ask.go', ['go', 'run'], 'go'],
  ruby: ['ask.rb', ['ruby'], 'ruby'],
}

describe('a program of docs/APPS.md', () => {
  const page = readFileSync(packageFile('docs', 'APPS.md'), 'utf8')
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
  let origin: LlmOrigin
  let yori: Yori
  let folder: TempFolder
  let key: string

  before(async () => {
    origin = await startLlmOrigin()
    folder = await tempFolder()
    symlinkSync(packageFile('node_modules'), folder.file('node_modules'))
    const base_url = `http://127.0.0.1:${origin.port}`
    yori = await Yori.start({
      config: { gateway: { providers: { openai: { base_url, key: VENDOR } } } },
    })
    key = await yori.appliance.policyState.change(
      (database) =>
        createKey(database, { name: 'app', models: [] }, { by: 'test', nowMs: 0 }).key,
    )
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('is there for each language', () => {
    assert.deepEqual(
      blocks.map(([, language]) => language),
      Object.keys(LANGUAGES),
    )
  })

  for (const [, language = '', text = ''] of blocks)
    it(`says by a door what it says directly: ${language}`, async function () {
      const [file, command, ...all] = LANGUAGES[language] ?? ['', []]
      assert.ok(text.trimEnd().split('\n').length <= MAX_LINES)
      needs(this, ...all)
      writeFileSync(folder.file(file), text)
      const [program = '', ...args] = [...command, folder.file(file)]
      const say = async (base: string): Promise<string> => {
        const env = {
          PATH: process.env['PATH'],
          HOME: folder.path,
          OPENAI_BASE_URL: base,
          OPENAI_API_KEY: key,
        }
        return (await run(program, args, { cwd: folder.path, env })).stdout.trim()
      }
      const expected = await say(`http://127.0.0.1:${origin.port}/v1`)
      assert.ok(expected.length > 0)
      const before = origin.arrived.length
      assert.equal(await say(`${yori.url}/llm/openai/v1`), expected)
      const [asked] = origin.arrived.slice(before)
      assert.equal(asked?.headers.authorization, `Bearer ${VENDOR}`)
      const row = (await yori.rows('exchanges')).at(-1)
      assert.deepEqual([row?.['access_key'], row?.['response_status']], ['app', 200])
    })
})
