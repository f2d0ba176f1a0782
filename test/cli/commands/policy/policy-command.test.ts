import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../../src/core/clock.js'
import { policyCommand } from '../../../../src/cli/commands/policy/policy-command.js'

const POLICY = `package home

import rego.v1

default deny := false

deny if input.hour >= 21

deny if {
	input.hour < 6
	print("early:", input.hour)
}

never if input.hour > 24
`

const TESTS = `package home_test

import rego.v1

test_late if data.home.deny with input.hour as 22

test_early if data.home.deny with input.hour as 3

test_noon if data.home.deny with input.hour as 12

todo_test_later if false
`

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'yori-policy-'))

  file(name: string, text: string): string {
    const path = join(this.path, name)
    writeFileSync(path, text)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

interface Ran {
  readonly out: string
  readonly notes: string
  readonly code: number
}

async function run(...args: string[]): Promise<Ran> {
  const ran = { out: '', notes: '', code: 0 }
  const command = policyCommand({
    print: (text) => void (ran.out += text),
    note: (text) => void (ran.notes += text),
    monotonic: () => 0,
    load: () => assert.fail('needs no configuration'),
    clock: systemClock,
    isWatched: false,
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
    exit: (code) => void (ran.code = code),
  })
  command.exitOverride()
  await command.parseAsync(args, { from: 'user' })
  return ran
}

describe('yori policy', () => {
  it('answers a query in the shape of opa eval', async () => {
    using folder = new Folder()
    const policy = folder.file('home.rego', POLICY)
    const input = folder.file('input.json', '{"hour": 23}')
    const ran = await run(
      'eval',
      '--query',
      'data.home.deny; x := 1',
      '--input',
      input,
      policy,
    )
    assert.equal(ran.code, 0)
    assert.deepEqual(JSON.parse(ran.out), {
      result: [
        {
          expressions: [
            { value: true, text: 'data.home.deny', location: { row: 1, col: 1 } },
            { value: true, text: 'x := 1', location: { row: 1, col: 17 } },
          ],
          bindings: { x: 1 },
        },
      ],
    })
  })

  it('answers {} where a query is undefined, and exits 1 with --fail', async () => {
    using folder = new Folder()
    const policy = folder.file('home.rego', POLICY)
    const ran = await run('eval', '--fail', '--query', 'data.home.never', policy)
    assert.deepEqual([ran.out, ran.code], ['{}\n', 1])
  })

  it('shows false where an expression is false', async () => {
    const ran = await run('eval', '--query', '1 == 2')
    assert.equal((JSON.parse(ran.out) as { result: unknown[] }).result.length, 1)
    assert.match(ran.out, /"value":false/)
  })

  it('keeps every digit of a number', async () => {
    using folder = new Folder()
    const input = folder.file('input.json', '{"n": 123456789012345678901234567890}')
    const ran = await run('eval', '--query', 'input.n', '--input', input)
    assert.match(ran.out, /123456789012345678901234567890/)
  })

  it('answers a query that does not compile with its errors and exit code 2', async () => {
    const ran = await run('eval', '--query', 'x > 1')
    const { errors } = JSON.parse(ran.out) as { errors: { code: string }[] }
    assert.deepEqual([errors[0]?.code, ran.code], ['rego_unsafe_var_error', 2])
  })

  it('runs tests, says what failed and what was not reached, and exits 1', async () => {
    using folder = new Folder()
    folder.file('home.rego', POLICY)
    folder.file('home_test.rego', TESTS)
    const ran = await run('test', folder.path)
    assert.equal(ran.code, 1)
    assert.match(ran.out, /FAIL\s+data\.home_test\.test_noon: undefined/)
    assert.match(ran.out, /not reached: .*home\.rego, line 14/)
    assert.match(ran.out, /2 passed, 1 failed, 0 errors, 1 skipped/)
    assert.match(ran.out, /coverage 75\.0 % \(3 of 4 rule bodies\)/)
    assert.doesNotMatch(ran.out, /PASS/)
  })

  it('finds that the policies that YORI brings pass their own tests', async () => {
    const ran = await run('test', 'config/policies')
    assert.match(ran.out, /[1-9][0-9]+ passed, 0 failed, 0 errors, 0 skipped/)
    assert.equal(ran.code, 0)
  })

  it('shows what passing tests print with --verbose', async () => {
    using folder = new Folder()
    folder.file('home.rego', POLICY)
    folder.file('home_test.rego', TESTS)
    const ran = await run('test', '--verbose', folder.path)
    assert.match(ran.out, /PASS\s+data\.home_test\.test_early[^\n]*\n {4}early: 3\n/)
  })

  it('prints every problem of a folder and exits 1', async () => {
    using folder = new Folder()
    folder.file('a.rego', 'package a\n\np := x if true\n\nq := nope(1)\n')
    folder.file('b.rego', 'package b\n\np := 1\n')
    const ran = await run('check', folder.path)
    assert.equal(ran.code, 1)
    const lines = ran.out.trim().split('\n')
    assert.equal(lines.length, 2)
    assert.match(lines[0] ?? '', /a\.rego:3:6: rego_unsafe_var_error: var x is unsafe/)
    assert.match(lines[1] ?? '', /a\.rego:5:6: rego_type_error: undefined function nope/)
  })

  it('says ok and exits 0 where there is no problem', async () => {
    using folder = new Folder()
    const ran = await run('check', folder.file('home.rego', POLICY))
    assert.deepEqual([ran.out, ran.code], ['1 file: ok\n', 0])
  })
})
