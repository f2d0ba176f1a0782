import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  APP,
  conffiles,
  control,
  postinst,
  postrm,
  prerm,
} from '../../../tools/package/deb-texts.js'
import { writeTree } from '../../../tools/package/tree.js'
import { needs } from '../../support/needs.js'
import { tempFolder } from '../../support/temp-folder.js'

const SETTINGS = {
  version: '1.2.3',
  architecture: 'amd64',
  size: 1234,
  user: 'yori',
  stateDir: '/var/db/yori',
  steerDir: '/var/db/yori-steer',
  logDir: '/var/log/yori',
}

describe('a Debian package of YORI', () => {
  it('has maintainer scripts that a POSIX shell takes', function () {
    needs(this, 'shellcheck')
    for (const script of [postinst(SETTINGS), prerm(), postrm(SETTINGS)]) {
      const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', '-'], {
        input: script,
        encoding: 'utf8',
      })
      assert.equal(status, 0, stdout)
    }
  })

  it('keeps CA and records but where it is purged', () => {
    const removed = postrm(SETTINGS)
    const [before = '', after = ''] = removed.split('[ "$1" = purge ] || exit 0')
    assert.ok(!before.includes('rm -rf'))
    assert.match(
      after,
      /^rm -rf \/var\/db\/yori \/var\/db\/yori-steer \/var\/log\/yori$/m,
    )
    assert.ok(!prerm().includes('rm '))
  })

  it('is described as dpkg reads it', () => {
    const fields = new Map(
      control(SETTINGS)
        .split('\n')
        .filter((line) => /^\S/.test(line))
        .map((line) => line.split(': ') as [string, string]),
    )
    assert.equal(fields.get('Package'), 'yori')
    assert.equal(fields.get('Version'), '1.2.3')
    assert.match(fields.get('Depends') ?? '', /^libc6 /)
    for (const path of conffiles().trim().split('\n')) assert.match(path, /^\/etc\//)
  })

  it('carries what it runs on, and nothing that only builds it', async function () {
    this.timeout(120_000)
    await using folder = await tempFolder()
    const app = folder.file(APP.slice(1))
    writeTree(app)
    const modules = join(app, 'node_modules')
    assert.ok(
      existsSync(join(modules, 'better-sqlite3/build/Release/better_sqlite3.node')),
    )
    for (const name of ['typescript', 'mocha', 'prebuild-install', 'better-sqlite3/deps'])
      assert.ok(!existsSync(join(modules, name)), name)
    const files = readdirSync(app, { recursive: true, encoding: 'utf8' })
    assert.deepEqual(
      files.filter(
        (name) => name.endsWith('.test.js') && !name.startsWith('node_modules'),
      ),
      [],
    )
    const bytes = files.reduce((sum, name) => sum + statSync(join(app, name)).size, 0)
    assert.ok(bytes < 64 * 1024 * 1024, String(bytes))
    const { version } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')) as {
      version: string
    }
    const ran = spawnSync(
      process.execPath,
      [join(app, 'dist/src/cli/main.js'), '--version'],
      {
        cwd: '/',
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      },
    )
    assert.equal(ran.stdout, `${version}\n`, ran.stderr)
  })
})
