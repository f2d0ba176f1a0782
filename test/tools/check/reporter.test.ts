/** The real mocha, on small suites written for the moment. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'
import { tempFolder } from '../../support/temp-folder.js'

async function lastLineOf(
  suite: string,
): Promise<{ line: string; status: number | null }> {
  await using folder = await tempFolder()
  writeFileSync(folder.file('suite.cjs'), suite)
  const run = spawnSync(
    process.execPath,
    [
      packageFile('node_modules/mocha/bin/mocha.js'),
      ...['--no-config', '--no-package', folder.file('suite.cjs')],
      ...['--reporter', packageFile('dist/tools/check/reporter.js')],
    ],
    { encoding: 'utf8', cwd: folder.path },
  )
  return { line: run.stdout.trimEnd().split('\n').at(-1) ?? '', status: run.status }
}

describe('tools/check/reporter', () => {
  it('ends with the counts alone on a line', async () => {
    const suite = `it('a', () => {}); it('b', () => {}); it('c', function () { this.skip() })`
    const { line, status } = await lastLineOf(suite)
    assert.equal(line, '2 passed, 0 failed, 1 skipped')
    assert.equal(status, 0)
  })

  it('counts failures of tests and of hooks', async () => {
    const suite = `
      it('a', () => { throw new Error('no') })
      describe('d', () => { before(() => { throw new Error('no') }); it('b', () => {}) })`
    const { line, status } = await lastLineOf(suite)
    assert.equal(line, '0 passed, 2 failed, 0 skipped')
    assert.notEqual(status, 0)
  })
})
