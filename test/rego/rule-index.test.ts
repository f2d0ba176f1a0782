/** Many rules of one name: only those that can hold are tried, and the answers stay the same. */
import assert from 'node:assert/strict'
import { compileModules, toJson } from '../../src/rego/index.js'
import type { DocumentResult, Policy } from '../../src/rego/index.js'

function policyOf(text: string): Policy {
  const compiled = compileModules([{ name: 't.rego', text: `package t\n\n${text}` }])
  assert.equal(compiled.kind, 'ok')
  return compiled.policy
}

function shown(result: DocumentResult): unknown {
  return result.kind === 'value' ? toJson(result.value) : result.kind
}

const many = Array.from({ length: 100 }, (_, i) => i)

describe('Rego with many rules of one name', () => {
  it('spends no more steps on a hundred rules than on the one that holds', () => {
    const policy = policyOf(
      many
        .map((i) => `p := ${i} if { input.a.b == "k${i}"; count("x") == 1 }`)
        .join('\n'),
    )
    const result = policy.evaluate('data.t.p', { a: { b: 'k42' } })
    assert.equal(shown(result), 42)
    assert.ok(result.kind === 'value' && result.steps < 10)
    assert.equal(shown(policy.evaluate('data.t.p', { a: { b: 'none' } })), 'undefined')
    assert.equal(shown(policy.evaluate('data.t.p', {})), 'undefined')
    assert.equal(shown(policy.evaluate('data.t.p')), 'undefined')
  })

  it('chooses functions by an argument', () => {
    const policy = policyOf(
      `${many.map((i) => `f("k${i}", x) := x + ${i}`).join('\n')}\np := f(input.k, 1)`,
    )
    const result = policy.evaluate('data.t.p', { k: 'k7' })
    assert.equal(shown(result), 8)
    assert.ok(result.kind === 'value' && result.steps < 10)
  })

  it('tries rules without the equation always, and conflicts as ever', () => {
    const policy = policyOf(
      [
        ...['a', 'b', 'c', 'd'].map((k) => `p := "${k}" if input.k == "${k}"`),
        'p := "else" if input.other',
        ...['a', 'b', 'c', 'd'].map((k) => `s contains "${k}" if input.k = "${k}"`),
        's contains "always"',
      ].join('\n'),
    )
    assert.equal(shown(policy.evaluate('data.t.p', { k: 'b' })), 'b')
    assert.equal(shown(policy.evaluate('data.t.p', { other: 1 })), 'else')
    assert.equal(shown(policy.evaluate('data.t.p', { k: 'b', other: 1 })), 'error')
    assert.deepEqual(shown(policy.evaluate('data.t.s', { k: 'c' })), ['always', 'c'])
    assert.deepEqual(shown(policy.evaluate('data.t.s', { k: 1 })), ['always'])
  })

  it('compares numbers by value, and sees what `with` changes', () => {
    const policy = policyOf(
      `${[1, 2, 3, 4, 5].map((i) => `p := ${i} if input.n == ${i}.0`).join('\n')}
q := [x, y] if { x := p with input.n as 2; y := p }`,
    )
    assert.equal(shown(policy.evaluate('data.t.p', { n: 3 })), 3)
    assert.deepEqual(shown(policy.evaluate('data.t.q', { n: 4 })), [2, 4])
  })
})
