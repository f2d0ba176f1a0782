/** The built command `yori`: help, usage errors, and its commands outside of `run`. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'
import { runCli } from '../support/cli.js'
import { runProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
  version: string
}

describe('the command yori', () => {
  it('tells its version and its commands', async () => {
    await using folder = await tempFolder()
    const cwd = folder.path
    assert.equal((await runCli(['--version'], { cwd })).stdout, `${version}\n`)
    const help = await runCli(['--help'], { cwd })
    assert.equal(help.status, 0)
    for (const command of ['run', 'config', 'ca', 'audit']) {
      assert.match(help.stdout, new RegExp(`^ {2}${command}\\b`, 'm'))
    }
  })

  it('is what npx runs in the folder of the project', async () => {
    await using folder = await tempFolder()
    const cwd = dirname(packageFile('package.json'))
    const args = ['--no-install', 'yori', '--version']
    // npx makes links in its cache, and two at once in one cache are in each other's way.
    const env = {
      ...process.env,
      HOME: folder.path,
      npm_config_cache: folder.file('cache'),
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    }
    const ran = await runProgram('npx', args, { env, cwd })
    assert.equal(ran.stdout.toString().trim(), version, ran.stderr)
  })

  for (const args of [
    ['nonsense'],
    ['--nonsense'],
    ['config', 'nonsense'],
    ['config', 'check', '--nonsense'],
    ['ca', 'nonsense'],
    ['audit', 'nonsense'],
    ['run', 'something'],
    ['ca', 'export', '--format', 'nonsense'],
  ]) {
    it(`ends with 2 and a hint for \`${args.join(' ')}\``, async () => {
      await using folder = await tempFolder()
      const ran = await runCli(args, { cwd: folder.path })
      assert.equal(ran.status, 2, ran.stdout + ran.stderr)
      assert.match(ran.stderr, /nonsense|something|too many/)
      assert.equal(ran.stdout, '')
    })
  }

  it('makes, checks, shows and explains a configuration', async () => {
    await using folder = await tempFolder()
    const cwd = folder.path
    const file = folder.file('yori.conf')
    const made = await runCli(['config', 'init', '--out', file], { cwd })
    assert.equal(made.status, 0, made.stderr)
    const checked = await runCli(['config', 'check', '--config', file], { cwd })
    assert.equal(checked.status, 0, checked.stdout + checked.stderr)
    const shown = await runCli(['config', 'show', '--config', file], { cwd })
    assert.match(shown.stdout, /mode: observe/)
    const explained = await runCli(['config', 'explain', 'limits.connections'], { cwd })
    assert.match(explained.stdout, /4096/)
  })

  it('makes a CA and exports the root that devices trust', async () => {
    await using folder = await tempFolder()
    const options = { cwd: folder.path, env: { YORI_STATE_DIR: folder.file('state') } }
    assert.equal((await runCli(['ca', 'init'], options)).status, 0)
    const exported = await runCli(['ca', 'export', '--format', 'pem'], options)
    const root = new X509Certificate(exported.stdout)
    assert.ok(root.ca)
    const shown = await runCli(['ca', 'show'], options)
    assert.ok(shown.stdout.includes(root.fingerprint256), shown.stdout)
  })

  it('lists no records where there are none', async () => {
    await using folder = await tempFolder()
    const options = { cwd: folder.path, env: { YORI_STATE_DIR: folder.file('state') } }
    const ran = await runCli(['audit', 'list', '--json'], options)
    assert.doesNotMatch(ran.stderr, /^\s+at /m)
    assert.ok(ran.status === 0 || /no|not/.test(ran.stderr), ran.stderr)
  })
})
