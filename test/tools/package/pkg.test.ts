import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../config/load.js'
import { makePkg } from '../../../tools/package/pkg.js'
import { manifest } from '../../../tools/package/pkg-texts.js'
import { tar } from '../../../tools/package/tar.js'
import { needs } from '../../support/needs.js'
import { tempFolder } from '../../support/temp-folder.js'

/** What the description of the plugin lists, by the paths of what this YORI is made of. */
const LISTED = [
  '/usr/local/bin/yori',
  '/usr/local/lib/yori/dist/src/cli/main.js',
  '/usr/local/opnsense/mvc/app/models/OPNsense/YORI/General.xml',
  '/usr/local/etc/rc.d/yori',
  '/usr/local/share/examples/yori/yori.conf.sample',
  '/usr/local/share/examples/yori/policies/home_default.rego',
  '/usr/local/opnsense/service/conf/actions.d/actions_yori.conf',
]
const PROGRAMS = ['/usr/local/bin/yori', '/usr/local/etc/rc.d/yori']

interface Manifest {
  readonly name: string
  readonly version: string
  readonly prefix: string
  readonly flatsize: number
  readonly files: Readonly<Record<string, string>>
  readonly deps: Readonly<Record<string, { readonly origin: string }>>
  readonly scripts: Readonly<Record<string, string>>
}

const SETTINGS = { version: '1.2.3', description: 'words', size: 1, sums: {} }

describe('a package of FreeBSD', () => {
  it('is a tar that tar(1) reads, whatever the length of a path', async () => {
    await using folder = await tempFolder()
    const long = `/usr/local/${'a'.repeat(120)}/${'b'.repeat(140)}`
    const entries = [
      { path: '/usr/local/bin/yori', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
      {
        path: `/usr/${'c'.repeat(90)}/d/e.js`,
        mode: 0o644,
        content: Buffer.alloc(512, 1),
      },
      { path: long, mode: 0o644, content: Buffer.from('long') },
      { path: '/empty', mode: 0o644, content: Buffer.alloc(0) },
    ]
    const file = folder.file('a.tar')
    writeFileSync(file, tar(entries, 86_400))
    const listed = spawnSync('tar', ['-tPvf', file, '--utc'], { encoding: 'utf8' })
    assert.equal(listed.stderr, '')
    assert.deepEqual(
      listed.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)),
      entries.map(({ path, mode, content }) => [
        mode === 0o755 ? '-rwxr-xr-x' : '-rw-r--r--',
        'root/wheel',
        String(content.length),
        '1970-01-02',
        '00:00',
        path,
      ]),
    )
  })

  it('has scripts that a POSIX shell takes', function () {
    needs(this, 'shellcheck')
    for (const kind of ['os-yori', 'yori'] as const)
      for (const script of Object.values(manifest({ kind, ...SETTINGS }).scripts)) {
        const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', '-'], {
          input: script,
          encoding: 'utf8',
        })
        assert.equal(status, 0, stdout)
      }
  })

  it('keeps CA and records when it goes, and takes steering off', () => {
    const { scripts } = manifest({ kind: 'os-yori', ...SETTINGS })
    const [before, after] = [scripts['pre-deinstall'], scripts['post-deinstall']]
    assert.ok(
      !/rm .*(?:\/var\/db|\/var\/log|\/usr\/local\/etc\/yori)/.test(before + after),
    )
    assert.match(before, /^service yori onestop /m)
    assert.match(before, /pfctl -q -a yori -f \/dev\/null/)
  })

  it('does after it is installed what the build of a plugin would have it do', () => {
    const { scripts } = manifest({ kind: 'os-yori', ...SETTINGS })
    const steps = [
      'service configd restart',
      'run_migrations.php OPNsense/YORI',
      'rc.configure_plugins POST_INSTALL',
      'configctl template reload OPNsense/YORI',
      'service yori start',
    ]
    const places = steps.map((step) => scripts['post-install'].indexOf(step))
    assert.ok(!places.includes(-1))
    assert.deepEqual(
      places,
      [...places].sort((one, other) => one - other),
    )
    const plain = manifest({ kind: 'yori', ...SETTINGS })
    assert.ok(!plain.scripts['post-install'].includes('opnsense'))
  })

  it('unpacked, is what its manifest says and what is listed', async function () {
    needs(this, 'zstd')
    await using folder = await tempFolder()
    const pkg = makePkg(folder.file('out'), 'os-yori')
    const root = folder.file('root')
    mkdirSync(root)
    const words = ['--zstd', '-xf', pkg, '-C', root]
    const { status, stderr } = spawnSync('tar', words, { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const read = (name: string): Manifest =>
      JSON.parse(readFileSync(join(root, name), 'utf8')) as Manifest
    const made = read('+MANIFEST')
    assert.ok(pkg.endsWith(`/os-yori-${made.version}.pkg`))
    assert.equal(made.name, 'os-yori')
    assert.equal(made.prefix, '/usr/local')
    assert.deepEqual(Object.keys(made.deps), ['node24'])
    const { files, scripts, directories, ...compact } = made as Manifest & {
      directories: unknown
    }
    assert.ok(scripts['post-install'] && directories)
    assert.deepEqual(read('+COMPACT_MANIFEST'), compact)
    const found = readdirSync(join(root, 'usr'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    assert.deepEqual(found.sort(), Object.keys(files).sort())
    let size = 0
    for (const [path, sum] of Object.entries(files)) {
      const content = readFileSync(join(root, path))
      size += content.length
      assert.equal(sum, `1$${createHash('sha256').update(content).digest('hex')}`, path)
    }
    assert.equal(size, made.flatsize)
    for (const path of LISTED) assert.ok(path in files, path)
    for (const path of PROGRAMS)
      assert.equal(statSync(join(root, path)).mode & 0o777, 0o755, path)
    assert.deepEqual(
      Object.keys(files).filter((path) => /\.node$|better-sqlite3|\.map$/.test(path)),
      [],
      'compiled for another system, or nobody loads it',
    )
    const sample = join(root, 'usr/local/share/examples/yori/yori.conf.sample')
    const loaded = loadConfig({ path: sample, cwd: root, env: {} })
    assert.equal(loaded.kind, 'ok', JSON.stringify(loaded))
    assert.match(
      readFileSync(join(root, 'usr/local/share/examples/yori/pf.conf.sample'), 'utf8'),
      /^rdr-anchor "yori"/m,
    )
  })
})
