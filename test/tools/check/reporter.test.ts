/** The real mocha, on small suites written for the moment. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'
import { tempFolder } from '../../support/temp-folder.js'

async function linesOf(
  suite: string,
  ...words: string[]
): Promise<{ lines: string[]; status: number | null }> {
  await using folder = await tempFolder()
  writeFileSync(folder.file('suite.cjs'), suite)
  const run = spawnSync(
    process.execPath,
    [
      packageFile('node_modules/mocha/bin/mocha.js'),
      ...['--no-config', '--no-package', folder.file('suite.cjs')],
      ...['--reporter', packageFile('dist/tools/check/reporter.js')],
      ...words,
    ],
    { encoding: 'utf8', cwd: folder.path },
  )
  return { lines: run.stdout.trimEnd().split('\n'), status: run.status }
}

describe('tools/check/reporter', () => {
  it('ends with the counts alone on a line', async () => {
    const suite = `it('a', () => {}); it('b', () => {}); it('c', function () { this.skip() })`
    const { lines, status } = await linesOf(suite)
    assert.equal(lines.at(-1), '2 passed, 0 failed, 1 skipped')
    assert.equal(status, 0)
  })

  it('counts failures of tests and of hooks', async () => {
    const suite = `
      it('a', () => { throw new Error('no') })
      describe('d', () => { before(() => { throw new Error('no') }); it('b', () => {}) })`
    const { lines, status } = await linesOf(suite)
    assert.equal(lines.at(-1), '0 passed, 2 failed, 0 skipped')
    assert.notEqual(status, 0)
  })

  const how = [
    ['one after the other', []],
    ['side by side', ['--parallel', '--jobs', '2']],
  ] as const
  for (const [title, words] of how)
    it(`lists what was lacking, how often, and what would bring it: ${title}`, async () => {
      const lacks = JSON.stringify(packageFile('dist/tools/check/lacks.js'))
      const suite = `
      const noted = import(${lacks})
      const lacking = (what) => async function () {
        (await noted).noteLack(this, { what, brings: 'apt-get install ' + what })
        this.skip()
      }
      it('passes', () => {})
      it('a', lacking('openssl'))
      it('b', function () { this.skip() })
      describe('c', () => { before(lacking('curl')); it('d', () => {}); it('e', () => {}) })`
      const { lines } = await linesOf(suite, ...words)
      assert.deepEqual(lines.slice(-5), [
        'Skipped, by what is lacking here and what would bring it:',
        '     2  curl: apt-get install curl',
        '     1  openssl: apt-get install openssl',
        '     1  no reason named',
        '1 passed, 0 failed, 4 skipped',
      ])
    })

  it('has a name for each reason that the suite skips for', () => {
    const unnamed = readdirSync(packageFile('test'), {
      recursive: true,
      encoding: 'utf8',
    })
      .filter((name) => name.endsWith('.ts'))
      .filter(
        (name) => !['support/needs.ts', 'tools/check/reporter.test.ts'].includes(name),
      )
      .filter((name) =>
        /\bthis\.skip\(|\b(?:it|describe)\.skip\(/.test(
          readFileSync(packageFile('test', name), 'utf8'),
        ),
      )
    assert.deepEqual(unnamed, [])
  })
})
