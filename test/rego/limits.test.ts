import assert from 'node:assert/strict'
import { compileModules } from '../../src/rego/index.js'
import type { Builtin, EvaluateOptions, Policy } from '../../src/rego/index.js'

function policyOf(text: string, builtins: readonly Builtin[] = []): Policy {
  const file = { name: 't.rego', text: `package t\n\n${text}\n` }
  const compiled = compileModules([file], { builtins })
  assert.equal(compiled.kind, 'ok')
  return compiled.policy
}

function codeOf(text: string, input?: unknown, options?: EvaluateOptions): string {
  const result = policyOf(text).evaluate('data.t.p', input, {}, options)
  return result.kind === 'error' ? result.code : result.kind
}

const xs = Array.from({ length: 1000 }, (_, i) => i)
const loops = 'p if { some a in input; some b in input; some c in input; a + b + c < 0 }'
const noDeadline = { deadlineMs: Infinity }

describe('Rego within its limits', () => {
  it('ends a runaway policy at its step budget', () => {
    assert.equal(codeOf(loops, xs, noDeadline), 'eval_budget_error')
  })

  it('ends a runaway policy at its deadline', () => {
    let now = 0
    const monotonic = (): number => now++
    const options = { maxSteps: 1e9, deadlineMs: 100, monotonic }
    assert.equal(codeOf(loops, xs, options), 'eval_deadline_error')
    assert.ok(now > 100 && now < 200)
  })

  it('forgives a clock that jumps while little was done', () => {
    let now = 0
    const monotonic = (): number => (now += 1e6)
    assert.equal(codeOf('p if { some a in input; a == 999 }', xs, { monotonic }), 'value')
  })

  it('counts exactly: a budget that suffices, and one step less', () => {
    const policy = policyOf('p if { some a in input; a == 999 }')
    const result = policy.evaluate('data.t.p', xs)
    assert.equal(result.kind, 'value')
    const { steps } = result
    const tight = policy.evaluate('data.t.p', xs, {}, { maxSteps: steps })
    assert.equal(tight.kind, 'value')
    const less = policy.evaluate('data.t.p', xs, {}, { maxSteps: steps - 1 })
    assert.equal(less.kind === 'error' ? less.code : less.kind, 'eval_budget_error')
  })

  it('charges for comparing large values', () => {
    const text = 'p if { some a in input.xs; input.xs == input.ys; a < 0 }'
    const policy = policyOf(text)
    const input = { xs, ys: [...xs] }
    const result = policy.evaluate('data.t.p', input, {}, noDeadline)
    assert.equal(result.kind === 'error' ? result.code : result.kind, 'eval_budget_error')
  })

  it('ends rather than be undefined where a built-in refuses the work', () => {
    assert.equal(
      codeOf('p if count(numbers.range(1, 1000000000)) > 0'),
      'eval_budget_error',
    )
  })

  it('survives nesting that the stack does not', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    const code = codeOf('p if input == [[1]]', deep)
    assert.ok(['undefined', 'eval_budget_error'].includes(code), code)
    assert.equal(codeOf('p := {input}', { x: deep }), 'eval_budget_error')
  })

  it('refuses text that nests or guesses too deeply', () => {
    for (const text of ['['.repeat(5000), '{1 | '.repeat(150), '[1|{1:1|'.repeat(60)]) {
      const file = { name: 't.rego', text: `package t\np := ${text}` }
      assert.equal(compileModules([file]).kind, 'invalid')
    }
  })

  it('gives time, chance and print as they were given to it', () => {
    const printed: string[] = []
    const text =
      'p := [time.now_ns(), rand.intn("a", 1000), rand.intn("a", 1000)] if print("x", input.y)'
    const options = {
      nowNs: 5n,
      seed: 7,
      print: (line: string) => void printed.push(line),
    }
    const policy = policyOf(text)
    const [first, second] = [0, 1].map(() =>
      policy.query('x := data.t.p', {}, {}, options),
    )
    assert.deepEqual(first, second)
    assert.deepEqual(printed, ['x <undefined>', 'x <undefined>'])
  })

  it('takes built-ins that are given to it', () => {
    const twice: Builtin = {
      name: 'home.twice',
      arity: 1,
      args: [{ kind: 'number' }],
      result: { kind: 'number' },
      evaluate: ([x]) => Number(x) * 2,
    }
    const result = policyOf('p := home.twice(21)', [twice]).evaluate('data.t.p')
    assert.equal(result.kind === 'value' ? result.value : result.kind, 42)
  })

  it('does not look at input that no rule asks for', () => {
    const looked: string[] = []
    const input = {
      a: 1,
      get b(): number {
        looked.push('b')
        return 2
      },
    }
    assert.equal(codeOf('p if input.a == 1', input), 'value')
    assert.deepEqual(looked, [])
  })
})
