import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'yaml'
import { loadConfig } from '../../config/load.js'
import { starterFile } from '../../config/starter.js'
import { packageFile } from '../../src/core/package-root.js'
import { accepted, loadText, tempFolder } from './support.js'

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const moduleUrl = (...parts: string[]): string =>
  JSON.stringify(pathToFileURL(packageFile('dist', ...parts)).href)

const PROGRAM = `
  import { createRequire } from 'node:module'
  import { configCommand } from ${moduleUrl('src', 'cli', 'commands', 'run', 'config.js')}
  const { Command } = createRequire(${JSON.stringify(packageFile('package.json'))})('commander')
  await new Command('yori').addCommand(configCommand()).parseAsync(process.argv.slice(1), { from: 'user' })`

/** `yori config ...` in a process of its own. */
function config(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM, '--', 'config', ...args],
    {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      timeout: 15_000,
    },
  )
  return { code: status, out: stdout, err: stderr }
}

describe('yori config', () => {
  it('init, check and show agree', () => {
    using folder = tempFolder()
    const path = join(folder.path, 'yori.conf')
    assert.equal(config(folder.path, ['init', '--out', path]).code, 0)
    assert.equal(statSync(path).mode & 0o777, 0o600)

    const check = config(folder.path, ['check', '--config', path])
    assert.deepEqual(check, { code: 0, out: `${path}: ok\n`, err: '' })

    // Where state is kept by default depends on who asks.
    appendFileSync(path, '\nstate_dir: /srv/yori\n')
    const show = config(folder.path, ['show', '--config', path])
    assert.equal(show.code, 0)
    const { config: inForce } = accepted(loadConfig({ path, env: {}, cwd: '/' }))
    assert.deepEqual(parse(show.out), JSON.parse(JSON.stringify(inForce)))
    assert.match(show.out, /^# from file\nmode: observe$/m)
    assert.match(show.out, /^# from default\naudit:$/m)

    // What it shows is itself a configuration, and the same one.
    assert.deepEqual(accepted(loadText(show.out)).config, inForce)
  })

  it('init never overwrites without --force', () => {
    using folder = tempFolder()
    const path = folder.write('mine.conf', 'mode: advisory\n')
    const refused = config(folder.path, ['init', '--out', 'mine.conf'])
    assert.equal(refused.code, 1)
    assert.match(refused.err, /mine\.conf exists; --force overwrites it/)
    assert.equal(readFileSync(path, 'utf8'), 'mode: advisory\n')

    assert.equal(config(folder.path, ['init', '--out', 'mine.conf', '--force']).code, 0)
    assert.equal(readFileSync(path, 'utf8'), starterFile())
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('init says when the folder is missing, and leaves nothing behind', () => {
    using folder = tempFolder()
    const ran = config(folder.path, ['init', '--out', 'no/yori.conf'])
    assert.equal(ran.code, 1)
    assert.match(ran.err, /the folder does not exist/)
    assert.equal(existsSync(join(folder.path, 'no')), false)
  })

  it('check prints every problem by place, key, fault and fix, and exits 1', () => {
    using folder = tempFolder()
    const path = folder.write('yori.conf', 'mode: enfroce\naudit: { bodeis: none }\n')
    const ran = config(folder.path, ['check', '--config', path])
    assert.equal(ran.code, 1)
    assert.deepEqual(ran.err.split('\n'), [
      `${path}:1:7 mode: "enfroce" is not known (did you mean enforce?); expected one of observe, advisory, enforce`,
      `${path}:2:10 audit.bodeis: is not a known key; did you mean audit.bodies?`,
      'not usable, 2 problems',
      '',
    ])
  })

  it('check exits 0 with warnings, and lists them', () => {
    using folder = tempFolder()
    const path = folder.write(
      'yori.conf',
      'mode: enforce\nenforcement: { consent_accepted: true }\n',
    )
    const ran = config(folder.path, ['check', '--config', path])
    assert.equal(ran.code, 0)
    assert.match(
      ran.out,
      /^warning: .*yori\.conf:1:7 mode: enforcement will not activate/,
    )
    assert.match(ran.out, /yori\.conf: ok, 1 warning\n$/)
  })

  it('check finds the file of the folder that it runs in', () => {
    using folder = tempFolder()
    folder.write('yori.conf', 'mode: nothing\n')
    assert.match(config(folder.path, ['check']).err, /"nothing" is not known/)
  })

  it('check --json gives programs the same', () => {
    using folder = tempFolder()
    const path = folder.write('yori.conf', 'log: { level: loud }\n')
    const ran = config(folder.path, ['check', '--json', '--config', path])
    assert.equal(ran.code, 1)
    assert.deepEqual(JSON.parse(ran.out), {
      ok: false,
      problems: [
        {
          file: path,
          line: 1,
          column: 15,
          key: 'log.level',
          wrong: '"loud" is not known',
          right: 'expected one of debug, info, warn, error, silent',
        },
      ],
      warnings: [],
    })
  })

  it('show marks what the environment set, and prints no secret', () => {
    using folder = tempFolder()
    const path = folder.write('yori.conf', 'ca: { passphrase: "${PASS}" }\n')
    const env = { PASS: 'tulip', YORI_MODE: 'advisory' }
    const ran = config(folder.path, ['show', '--config', path], env)
    assert.match(ran.out, /^# from environment\nmode: advisory$/m)
    assert.match(ran.out, /passphrase: "?\[redacted\]"?/)
    const json = config(folder.path, ['show', '--json', '--config', path], env)
    const { config: shown } = JSON.parse(json.out) as { config: { ca: object } }
    assert.equal('passphrase' in shown.ca && shown.ca.passphrase, '[redacted]')
    assert.doesNotMatch(ran.out + ran.err + json.out + json.err, /tulip/)
  })

  it('show of a wrong configuration says what is wrong', () => {
    using folder = tempFolder()
    const path = folder.write('yori.conf', 'mode: [\n')
    const ran = config(folder.path, ['show', '--config', path])
    assert.equal(ran.code, 1)
    assert.match(ran.err, /yori\.conf:2:1: is not YAML/)
  })

  it('explain answers for a key, and exits 1 for one that is not there', () => {
    using folder = tempFolder()
    assert.match(config(folder.path, ['explain', 'log.level']).out, /Default: info/)
    const json = config(folder.path, ['explain', 'log.level', '--json'])
    assert.deepEqual(JSON.parse(json.out), [
      {
        key: 'log.level',
        type: 'debug | info | warn | error | silent',
        default: 'info',
        expected: 'one of debug, info, warn, error, silent',
        description: 'The least important message that is written.',
        secret: false,
      },
    ])
    const unknown = config(folder.path, ['explain', 'log.levle'])
    assert.equal(unknown.code, 1)
    assert.match(unknown.err, /did you mean log\.level\?/)
  })
})

describe('the starter file', () => {
  it('is the defaults, with every comment taken away', () => {
    const live = starterFile().replaceAll(/^#(?=[a-z_]+:|  )/gm, '')
    const { config: written } = accepted(loadText(live))
    const { config: defaults } = accepted(loadConfig({ env: {}, cwd: '/', searched: [] }))
    assert.deepEqual(written, defaults)
    assert.ok(Object.keys(parse(live) as object).length === Object.keys(defaults).length)
  })

  it('sets only version and mode as it is', () => {
    assert.deepEqual(parse(starterFile()), { config_version: 1, mode: 'observe' })
  })
})
