/**
 * What an application hears is recorded once beside a running YORI, by its own unmodified
 * packages, and heard again without YORI, without a provider and with other keys.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { ChildYori } from '../support/child-yori.js'
import { Cli, runCli } from '../support/cli.js'
import type { CliRan } from '../support/cli.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

const APP = packageFile('test', 'fixtures', 'replay', 'app.mjs')
const KEYS = {
  OPENAI_API_KEY: 'sk-proj-Rk2v9QpLx8Zt4Wm7Yb3Nc6Hd1Js5Fg0TqUeVaXo',
  ANTHROPIC_API_KEY: 'a-key-of-no-known-form-4711',
}
const OTHER_KEYS = { OPENAI_API_KEY: 'another', ANTHROPIC_API_KEY: 'yet-another' }
const MAIL = 'jane.doe@example.com'
const SAYS = `My mail is ${MAIL}, and my key is ghp_k3J9vQ2xR7mT5wY8zB4nC6pL1sD0fGhAeUiO. Which moon?`

describe('yori record and yori exec --replay', function () {
  this.timeout(60_000)
  let folder: TempFolder
  let simulator: Simulator
  let yori: ChildYori
  let recordings: string
  let live: CliRan
  let ended: Cli
  before(async () => {
    folder = await tempFolder()
    recordings = folder.file('recordings')
    simulator = await Simulator.start({ knobs: { chunkGapMs: 3, gzip: true } })
    yori = await ChildYori.start({
      origins: { 'api.openai.com': simulator, 'api.anthropic.com': simulator },
      trust: [simulator.ca],
    })
    await using recording = new Cli(
      ['record', '--to', recordings, '--config', yori.folder.file('yori.conf')],
      { cwd: folder.path },
    )
    ended = recording
    await recording.printed(/recording to/)
    live = await app(['exec', '--config', yori.folder.file('yori.conf')], KEYS)
    recording.signal('SIGINT')
    assert.equal(await recording.exited, 0, recording.stderr)
  })
  after(async () => {
    await yori[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const app = (args: readonly string[], keys: NodeJS.ProcessEnv): Promise<CliRan> =>
    runCli([...args, '--', process.execPath, APP], {
      cwd: folder.path,
      env: { ...keys, APP_SAYS: SAYS },
    })

  it('writes a file an exchange, which nobody else may read', () => {
    assert.equal(live.status, 0, live.stderr)
    const names = readdirSync(recordings)
    assert.equal(names.length, 8)
    assert.match(ended.stdout, /^yori: 8 exchanges recorded in /)
    assert.equal(statSync(recordings).mode & 0o777, 0o700)
    for (const name of names) {
      assert.match(name, /\.json$/)
      assert.equal(statSync(join(recordings, name)).mode & 0o777, 0o600)
    }
  })

  it('ends at once, and says why, where nothing can be written', async () => {
    const other = folder.file('other')
    mkdirSync(other, { mode: 0o755 })
    writeFileSync(join(other, 'readme'), 'x')
    const config = ['--config', yori.folder.file('yori.conf')]
    for (const [to, why] of [
      [other, /is open to others.*chmod 700/],
      [join(other, 'readme', 'x'), /no folder/],
      ['/proc/x', /ENOENT|no folder|no such/],
    ] as const) {
      const ran = await runCli(['record', '--to', to, ...config], { cwd: folder.path })
      assert.notEqual(ran.status, 0)
      assert.match(ran.stderr, why)
    }
    assert.deepEqual(readdirSync(other), ['readme'])
  })

  it('says at once that something could not be written, and goes on', async () => {
    const [to, away] = [folder.file('there'), folder.file('away')]
    const config = ['--config', yori.folder.file('yori.conf')]
    await using recording = new Cli(['record', '--to', to, ...config], {
      cwd: folder.path,
    })
    await recording.printed(/recording to/)
    renameSync(to, away)
    await app(['exec', ...config], KEYS)
    await recording.printed(/could not be written, and is lost/)
    renameSync(away, to)
    await app(['exec', ...config], KEYS)
    recording.signal('SIGINT')
    assert.notEqual(await recording.exited, 0)
    assert.match(recording.stdout, /8 exchanges recorded in .*; 8 left out: could not be/)
    assert.equal(readdirSync(to).length, 8)
  })

  it('keeps no key, and nothing personal', () => {
    for (const name of readdirSync(recordings)) {
      const text = readFileSync(join(recordings, name), 'utf8')
      for (const secret of [...Object.values(KEYS), MAIL, 'ghp_k3J9vQ2xR7mT5w'])
        assert.ok(!text.includes(secret), `${secret} in ${name}`)
    }
  })

  it('says the same again without YORI, a provider, and those keys; what is new is missed', async () => {
    await yori.cli[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
    const env = { ...OTHER_KEYS, APP_ASKS_MORE: 'yes' }
    const again = await app(['exec', '--replay', recordings], env)
    const redacted = live.stdout
      .replaceAll(MAIL, '[EMAIL_ADDRESS]')
      .replace(/ghp_\w+/g, '[GITHUB_TOKEN]')
    const { more, ...heard } = JSON.parse(again.stdout) as Record<string, unknown>
    assert.deepEqual(heard, JSON.parse(redacted))
    // As the package has errors of its provider.
    const missed = { name: 'NotFoundError', status: 404, code: 'YORI_REPLAY_MISSED' }
    assert.deepEqual(more, missed)
    assert.match(
      again.stderr,
      /not recorded: POST api\.openai\.com\/v1\/chat\/completions: 4 of/,
    )
    assert.match(again.stderr, /yori: 8 answers from recordings; 1 missed\n/)
    assert.equal(again.status, 1)
  })
})
