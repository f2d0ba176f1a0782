/**
 * What README.md and docs/ show is typed as it stands there: each chapter's blocks in order, by a
 * POSIX shell, in a folder of its own, with the simulated provider in the place of the real ones.
 * Blocks marked `fresh` are run by tools/check/fresh.sh in an empty clone, those marked `router`
 * by the tests in network namespaces; what only shows a form is marked `form`.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../config/load.js'
import { packageFile } from '../../src/core/package-root.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Cli, runCli } from '../support/cli.js'
import { needs } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

const MARKS = new Set(['', 'fresh', 'router', 'form'])

interface Block {
  readonly mark: string
  readonly text: string
}

/** Chapters of docs/ whose blocks are typed here, in this order. */
const TYPED = [
  ['RECORD', 'The record'],
  ['RECORD', 'Is it what was written'],
  ['CONTROL', 'The API'],
  ['POLICIES', 'Policies'],
  ['POLICIES', 'People and devices'],
  ['SERVICE', 'Configuration'],
  ['GATEWAY', 'Keys of our own'],
] as const

/** The shell blocks of a page, by the heading above them. */
function chapters(page: string): Map<string, Block[]> {
  const found = new Map<string, Block[]>()
  let heading = ''
  const parts = /^#+ (.+)$|^```sh ?(\w*)\n([\s\S]*?)^```$|^```[\s\S]*?^```$/gm
  for (const [, title, mark, text] of page.matchAll(parts)) {
    if (title !== undefined) heading = title
    else if (text !== undefined)
      found.set(heading, [...(found.get(heading) ?? []), { mark: mark ?? '', text }])
  }
  return found
}

const readme = chapters(readFileSync(packageFile('README.md'), 'utf8'))

function plain(page: Map<string, Block[]>, chapter: string): string {
  const blocks = page.get(chapter)?.filter(({ mark }) => mark === '') ?? []
  assert.ok(blocks.length > 0, `there is nothing to type under ${chapter}`)
  return blocks.map(({ text }) => text).join('')
}

const typed = (chapter: string): string => plain(readme, chapter)

/** `./yori` of the clone, in a folder of the test's own. */
function giveYori(folder: TempFolder): void {
  const file = folder.file('yori')
  writeFileSync(file, `#!/bin/sh\nexec "${packageFile('yori')}" "$@"\n`)
  chmodSync(file, 0o755)
}

interface Typed {
  readonly status: number | null
  readonly said: string
}

async function type(folder: TempFolder, lines: string, port: string): Promise<Typed> {
  const script = `set -eu\n${lines.replaceAll(':8443', `:${port}`)}`
  const shell = spawn('sh', ['-c', script], {
    cwd: folder.path,
    env: { ...process.env, OPENAI_API_KEY: 'sk-a', ANTHROPIC_API_KEY: 'sk-ant-a' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  let said = ''
  shell.stdout.on('data', (piece: Buffer) => (said += piece.toString()))
  shell.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
  const status = await new Promise<number | null>((resolve) => {
    shell.once('close', resolve)
  })
  return { status, said }
}

describe('The README, typed', function () {
  this.timeout(240_000)
  let folder: TempFolder
  let simulator: Simulator
  let yori: Cli
  let port: string
  let control: string

  before(async function () {
    needs(this, 'curl')
    folder = await tempFolder()
    simulator = await Simulator.start()
    giveYori(folder)
    writeFileSync(folder.file('extra.pem'), simulator.ca.certificatePem)
    const at = `'${simulator.address}'`
    writeFileSync(
      folder.file('yori.conf'),
      [
        'state_dir: ./var',
        'listen: 127.0.0.1:0',
        'upstream:',
        '  extra_ca: [./extra.pem]',
        `  resolve: {api.openai.com: ${at}, api.anthropic.com: ${at}}`,
        'control: {listen: 127.0.0.1:0}',
        // What docs/POLICIES.md would change, and its record tells about.
        'policies: {files: {bedtime: {action: alert}}}',
        '',
      ].join('\n'),
    )
    yori = new Cli(['run'], { cwd: folder.path })
    ;[, port = ''] = await yori.printed(/127\.0\.0\.1:(\d+)/)
    ;[, control = ''] = await yori.printed(/control +127\.0\.0\.1:(\d+)/)
    // From here on it is where the configuration says, for those who look for it.
    writeFileSync(
      folder.file('yori.conf'),
      readFileSync(folder.file('yori.conf'), 'utf8').replace(
        '127.0.0.1:0',
        `127.0.0.1:${port}`,
      ),
    )
  })

  after(async () => {
    await yori[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('leads a laptop from nothing to a record', async () => {
    const { status, said } = await type(folder, typed('A laptop'), port)
    assert.equal(status, 0, said)
    assert.match(said, /api\.openai\.com/, said)
    assert.match(said, /1 of 1|all/i, said)
  })

  it('serves programs by their base URL', async () => {
    const { status, said } = await type(folder, typed('A base URL'), port)
    assert.equal(status, 0, said)
    assert.match(said, /"object": ?"chat\.completion"/, said)
    assert.match(said, /"type": ?"message"/, said)
    assert.match(said, /gpt-4o-mini|claude/, said)
  })

  for (const [name, heading] of TYPED)
    it(`docs/${name}.md says what can be typed of ${heading}`, async function () {
      if (name === 'RECORD') needs(this, 'sqlite3')
      const page = chapters(readFileSync(packageFile('docs', `${name}.md`), 'utf8'))
      const lines = plain(page, heading)
        .replaceAll(/^yori /gm, './yori ')
        .replaceAll(':8088', `:${control}`)
        .replace('config init', 'config init --out new.conf')
      const { status, said } = await type(folder, lines, port)
      assert.equal(status, 0, said)
    })

  it('gives an office a configuration that holds', async () => {
    await using office = await tempFolder()
    giveYori(office)
    const { status, said } = await type(office, typed('An office'), '0')
    assert.equal(status, 0, said)
    assert.match(said, /budget/)
    assert.match(
      readFileSync(office.file('yori-root.pem'), 'utf8'),
      /^-----BEGIN CERTIFICATE-----\n/,
    )
  })
})

describe('README.md and docs/', () => {
  const pages = [
    'README.md',
    ...readdirSync(packageFile('docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ]

  it('mark the blocks that nobody types here by a word that is known', () => {
    for (const page of pages)
      for (const blocks of chapters(readFileSync(packageFile(page), 'utf8')).values())
        for (const { mark } of blocks) assert.ok(MARKS.has(mark), `${page}: ${mark}`)
  })

  it('have no other block that nobody types', () => {
    const known = new Set(TYPED.map(([name, heading]) => `docs/${name}.md ${heading}`))
    for (const page of pages.slice(1))
      for (const [heading, blocks] of chapters(readFileSync(packageFile(page), 'utf8')))
        if (blocks.some(({ mark }) => mark === '' || mark === 'sh'))
          assert.ok(known.has(`${page} ${heading}`), `${page}: ${heading}`)
  })

  it('name commands and options that there are, in what is typed on a router or shows a form', async function () {
    this.timeout(180_000)
    const shown = new Map<string, Set<string>>()
    for (const page of pages)
      for (const blocks of chapters(readFileSync(packageFile(page), 'utf8')).values())
        for (const { mark, text } of blocks)
          if (mark === 'router' || mark === 'form')
            for (const [, line = ''] of text.matchAll(
              /(?:^|&& )(?:sudo )?yori ([^#\n&]+)/gm,
            )) {
              const [words = ''] = /^[a-z]+(?: [a-z]+){0,2}/.exec(line) ?? []
              const [own = ''] = line.split(' -- ')
              const options = own.match(/(?<=\s)--[a-z-]+/g) ?? []
              shown.set(words, new Set([...(shown.get(words) ?? []), ...options]))
            }
    assert.ok(shown.size > 10, String(shown.size))
    for (const [words, options] of shown) {
      const { status, stdout, stderr } = await runCli([...words.split(' '), '--help'], {
        cwd: packageFile('.'),
      })
      assert.equal(status, 0, `yori ${words}: ${stderr}`)
      for (const option of options)
        assert.ok(
          stdout.includes(`${option} `) || stdout.includes(`${option}\n`),
          `yori ${words} ${option}`,
        )
      // Whose help it is: a further word is a command, unless this one takes none.
      const [usage = ''] = stdout.split('\n')
      if (usage.endsWith('[command]'))
        assert.ok(usage.startsWith(`Usage: yori ${words} `), `yori ${words}: ${usage}`)
    }
  })

  it('lead to pages that there are, and never to a stranger’s package', () => {
    for (const page of pages) {
      const text = readFileSync(packageFile(page), 'utf8')
      assert.ok(!text.includes('npx yori'), page)
      for (const [, to = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        const from = packageFile(page, '..')
        assert.doesNotThrow(() => readFileSync(join(from, to)), `${page}: ${to}`)
      }
    }
  })

  it('show settings that hold', async () => {
    await using folder = await tempFolder()
    writeFileSync(folder.file('mail-password'), 'one\n', { mode: 0o600 })
    const page = readFileSync(packageFile('docs', 'ALERTS.md'), 'utf8')
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    writeFileSync(folder.file('yori.conf'), text)
    const loaded = loadConfig({
      path: folder.file('yori.conf'),
      env: { NTFY_TOPIC: 'topic', HOOK_SECRET: `whsec_${btoa('x'.repeat(24))}` },
      cwd: folder.path,
    })
    assert.equal(loaded.kind, 'ok', JSON.stringify(loaded))
    const detect = readFileSync(packageFile('docs', 'DETECT.md'), 'utf8')
    const [, own = ''] = /```yaml\n([\s\S]*?)```/.exec(detect) ?? []
    assert.match(own, /secrets/)
    writeFileSync(folder.file('yori.conf'), own)
    const path = folder.file('yori.conf')
    const { kind } = loadConfig({ path, env: {}, cwd: folder.path })
    assert.equal(kind, 'ok')
  })

  it('keep the README to what one reads', () => {
    const lines = readFileSync(packageFile('README.md'), 'utf8').split('\n').length
    assert.ok(lines <= 130, String(lines))
  })
})
