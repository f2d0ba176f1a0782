/**
 * YORI as `npm pack` makes it: `@yori/rego` comes along, so that nobody asks a registry for that
 * name. Unpacked beside the packages that a registry has, the command runs.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../../src/core/package-root.js'
import { writeRegoPackage } from '../../../tools/build/rego-package.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'

interface Described {
  readonly dependencies: Readonly<Record<string, string>>
  readonly bundleDependencies: readonly string[]
}

const described = JSON.parse(
  readFileSync(packageFile('package.json'), 'utf8'),
) as Described

function run(program: string, args: readonly string[], cwd: string): string {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const done = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 120_000 })
  assert.equal(done.status, 0, `${program} ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

/** A copy of what is packed, as a fresh clone has it after `npm ci` and what `npm pack` calls. */
function stageIn(house: string): void {
  const copied = [
    ...['package.json', 'README.md', 'LICENSE', 'config', 'pf'],
    ...['dist/src', 'dist/ca', 'dist/config', 'dist/pf', 'node_modules/re2js'],
    ...['package.json', 'README.md', 'LICENSE'].map((name) => join('src', 'rego', name)),
  ]
  for (const path of copied) {
    cpSync(packageFile(path), join(house, path), { recursive: true })
  }
  writeRegoPackage(join(house, 'src', 'rego', 'dist'))
  mkdirSync(join(house, 'node_modules', '@yori'))
  symlinkSync('../../src/rego', join(house, 'node_modules', '@yori', 'rego'))
}

describe('YORI when it is packed', function () {
  this.timeout(240_000)
  let folder: TempFolder
  let yori: string

  before(async () => {
    folder = await tempFolder()
    const house = folder.file('house')
    mkdirSync(house)
    stageIn(house)
    run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder.path], house)
    const [tarball = ''] = readdirSync(folder.path).filter((name) =>
      name.endsWith('.tgz'),
    )
    run('tar', ['-xzf', tarball], folder.path)
    const modules = folder.file('app', 'node_modules')
    yori = join(modules, 'yori')
    mkdirSync(modules, { recursive: true })
    cpSync(folder.file('package'), yori, { recursive: true })
    for (const name of Object.keys(described.dependencies)) {
      if (described.bundleDependencies.includes(name)) continue
      symlinkSync(packageFile('node_modules', name), join(modules, name))
    }
  })

  after(() => folder[Symbol.asyncDispose]())

  const command = (...args: string[]): string =>
    run(
      process.execPath,
      [join(yori, 'dist', 'src', 'cli', 'main.js'), ...args],
      folder.path,
    )

  it('brings its policy language along, compiled, and only once', () => {
    const rego = join(yori, 'node_modules', '@yori', 'rego')
    const files = readdirSync(rego, { recursive: true, encoding: 'utf8' })
    for (const name of ['package.json', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']) {
      assert.ok(files.includes(name), name)
    }
    assert.deepEqual(
      files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')),
      [],
    )
    assert.deepEqual(readdirSync(join(yori, 'node_modules')).sort(), ['@yori', 're2js'])
    assert.ok(!readdirSync(join(yori, 'dist', 'src')).includes('rego'))
  })

  it('says its version, and tries policies', () => {
    assert.match(command('--version'), /^\d+\.\d+\.\d+\n$/)
    const policies = folder.file('policies')
    mkdirSync(policies)
    const bedtime = 'package yori.bed\n\ndeny if input.hour >= 21\n'
    writeFileSync(join(policies, 'bed.rego'), bedtime)
    writeFileSync(
      join(policies, 'bed_test.rego'),
      'package yori.bed_test\n\nimport data.yori.bed\n\n' +
        'test_late if bed.deny with input as {"hour": 22}\n',
    )
    assert.match(command('policy', 'test', policies), /1 passed, 0 failed/)
  })
})
