/** `.ci/run` with another npm in its path, which fails in every way that a real one can. */
import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { runProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { needs } from '../support/needs.js'

interface Ended {
  readonly line: string
  readonly status: number
}

/** `scripts` are bodies of shell programs that stand before the real ones. */
async function ciRun(scripts: Readonly<Record<string, string>>): Promise<Ended> {
  await using folder = await tempFolder()
  mkdirSync(folder.file('.ci'))
  mkdirSync(folder.file('bin'))
  cpSync(packageFile('.ci', 'run'), folder.file('.ci', 'run'))
  for (const [name, body] of Object.entries({ id: 'echo 1000', ...scripts })) {
    writeFileSync(folder.file('bin', name), `#!/bin/sh\n${body}\n`)
    chmodSync(folder.file('bin', name), 0o755)
  }
  const env = { ...process.env, PATH: `${folder.file('bin')}:${process.env['PATH']}` }
  const ran = await runProgram(folder.file('.ci', 'run'), [], { env })
  const line = ran.stdout.toString().trimEnd().split('\n').at(-1) ?? ''
  return { line, status: ran.status }
}

/** npm whose `test` prints these lines and ends so; `ci` succeeds, the guards as told. */
const npmTest = (lines: string, code: number, guards = 0): { npm: string } => ({
  npm: [
    '[ "$1" = ci ] && exit 0',
    `[ "$1" = run ] && exit ${guards}`,
    `cat <<'EOF'\n${lines}\nEOF\nexit ${code}`,
  ].join('\n'),
})

describe('.ci/run', () => {
  before(function () {
    needs(this, 'bash')
  })

  it('ends with the counts of the tests', async () => {
    const ended = await ciRun(npmTest('  ok\n12 passed, 0 failed, 3 skipped', 0))
    assert.deepEqual(ended, { line: '12 passed, 0 failed, 3 skipped', status: 0 })
  })

  it('fails with the tests', async () => {
    const ended = await ciRun(npmTest('12 passed, 2 failed, 3 skipped\nnpm error', 2))
    assert.deepEqual(ended, { line: '12 passed, 2 failed, 3 skipped', status: 1 })
  })

  it('counts a crash after, before or without tests as a failure', async () => {
    const after = await ciRun(npmTest('12 passed, 0 failed, 0 skipped', 7))
    assert.deepEqual(after, { line: '12 passed, 1 failed, 0 skipped', status: 1 })
    const before = await ciRun(npmTest('Error: out of memory', 134))
    assert.deepEqual(before, { line: '0 passed, 1 failed, 0 skipped', status: 1 })
    const without = await ciRun(npmTest('nothing', 0))
    assert.deepEqual(without, { line: '0 passed, 1 failed, 0 skipped', status: 1 })
  })

  it('counts a guard that fails as a failure, and runs the tests all the same', async () => {
    const ended = await ciRun(npmTest('12 passed, 0 failed, 3 skipped', 0, 1))
    assert.deepEqual(ended, { line: '12 passed, 1 failed, 3 skipped', status: 1 })
  })

  it('counts an install that fails as a failure', async () => {
    const ended = await ciRun({ npm: 'exit 1' })
    assert.deepEqual(ended, { line: '0 passed, 1 failed, 0 skipped', status: 1 })
  })

  it('goes on without the Debian packages, and counts a hang as a failure', async () => {
    const ended = await ciRun({
      ...npmTest('5 passed, 0 failed, 9 skipped', 0),
      id: 'echo 0',
      'apt-get': 'exit 100',
    })
    assert.deepEqual(ended, { line: '5 passed, 0 failed, 9 skipped', status: 0 })
    // As `timeout` ends when the command had to be stopped.
    const timeout = '[ "$3" = test ] || [ "$4" = test ] || exec "$@"\nexit 124'
    const hung = await ciRun({ ...npmTest('', 0), timeout: `shift\n${timeout}` })
    assert.deepEqual(hung, { line: '0 passed, 1 failed, 0 skipped', status: 1 })
  })
})
