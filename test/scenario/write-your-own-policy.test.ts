/** The chapter of docs/POLICIES.md on a policy of one's own, followed to the letter. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { packageFile } from '../../src/core/package-root.js'
import { Cli, runCli } from '../support/cli.js'
import { startOrigin } from '../support/origins.js'
import { certificate, NAME, originCa, until } from '../support/proxied.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { needs } from '../support/needs.js'

const page = readFileSync(packageFile('docs', 'POLICIES.md'), 'utf8')
const chapter = /### Write your own policy\n([\s\S]*)$/.exec(page)?.[1] ?? ''

function blocks(language: string): string[] {
  const fence = new RegExp(`\`\`\`${language}(?: form)?\\n([\\s\\S]*?)\`\`\``, 'g')
  return [...chapter.matchAll(fence)].map(([, text = '']) => text)
}

const [commands = '', curl = ''] = blocks('sh')
const [settings = ''] = blocks('yaml')

/** `policies/x.rego`, named just before its text. */
function files(): [string, string][] {
  const named = /`(policies\/\w+\.rego)`:\n\n```rego\n([\s\S]*?)```/g
  return [...chapter.matchAll(named)].map(([, name = '', text = '']) => [name, text])
}

function write(folder: TempFolder, name: string, text: string): void {
  const path = folder.file(name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

async function asked(folder: TempFolder, port: string): Promise<string> {
  const shell = spawn('sh', ['-c', curl.replace(':8443', `:${port}`)], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let answer = ''
  shell.stdout.on('data', (piece: Buffer) => (answer += piece.toString()))
  await new Promise((resolve) => shell.once('close', resolve))
  return answer
}

function recorded(folder: TempFolder): number {
  const db = new Sqlite(folder.file('var/audit.db'), { readonly: true })
  const ended = `SELECT count(*) FROM exchanges WHERE event_type <> 'request'`
  const count = db.prepare(ended).pluck().get() as number
  db.close()
  return count
}

describe('docs/POLICIES.md on a policy of one’s own', () => {
  before(function () {
    needs(this, 'curl')
  })

  it('leads from a new file to a request that is blocked', async () => {
    await using folder = await tempFolder()
    let reached = 0
    await using origin = await startOrigin({
      certificate,
      handler: (request, response) => {
        reached++
        request.resume().on('end', () => response.end('{"object": "chat.completion"}'))
      },
    })
    write(folder, 'extra.pem', originCa.certificatePem)
    write(
      folder,
      'yori.conf',
      [
        'listen: 127.0.0.1:0',
        'state_dir: ./var',
        `upstream: {extra_ca: [./extra.pem], resolve: {${NAME}: '${origin.address}'}}`,
        '',
      ].join('\n'),
    )
    await using yori = new Cli(['run', '--config', 'yori.conf'], { cwd: folder.path })
    const [, port = ''] = await yori.printed(/127\.0\.0\.1:(\d+)/)
    assert.match(await asked(folder, port), /chat\.completion/)
    await until(() => recorded(folder) === 1)

    for (const [name, text] of files()) write(folder, name, text)
    const said: string[] = []
    for (const line of commands.trim().split('\n')) {
      const args = line.replace(/^yori /, '').split(' ')
      const ran = await runCli(args, { cwd: folder.path })
      assert.equal(ran.status, 0, `${line}\n${ran.stdout}${ran.stderr}`)
      said.push(ran.stdout)
    }
    assert.match(said[0] ?? '', /^2 files: ok$/m)
    assert.match(said[1] ?? '', /^2 passed, 0 failed/m)
    assert.match(said[2] ?? '', /^1 requests: 1 would be decided otherwise/m)
    assert.match(said[2] ?? '', /no_recipes +allow +block +1 .*ask the cook/)

    appendFileSync(folder.file('yori.conf'), settings)
    yori.signal('SIGHUP')
    await yori.printed(/reloaded/i)
    const answer = await asked(folder, port)
    assert.match(answer, /no_recipes/)
    assert.match(answer, /ask the cook/)
    assert.equal(reached, 1)
  })
})
