/**
 * Which variable a name is. A name that a body declares (`:=`, `some`) stands for that variable
 * from there on; a closure before the declaration has a variable of its own, whatever kind of
 * closure it is, and wherever in an expression it stands.
 */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { compileModules, toJson } from '../../src/rego/index.js'
import type { CompileResult } from '../../src/rego/index.js'

const RULES = `package t
s := {1, 2}
o := {"a": 1, "b": 2}
q := 7
`

function load(rule: string): CompileResult {
  return compileModules([{ name: 't.rego', text: RULES + rule }])
}

const good: readonly (readonly [string, unknown])[] = [
  // Every kind of closure before the declaration.
  ['p := n if { k := {n | s[n]}; count(k) == 2; n := count(k) }', 2],
  ['p := n if { k := [n | s[n]]; n := count(k) }', 2],
  ['p := n if { k := {n: 1 | s[n]}; n := count(k) }', 2],
  ['p := n if { k := {v: n | o[v] = n}; n := count(k) }', 2],
  ['p := n if { every n in s { n > 0 }; n := 5 }', 5],
  ['p := n if { every n, m in s { m > 0 }; n := 5 }', 5],
  ['p := n if { every m in s { n := m; n > 0 }; n := 5 }', 5],
  // Every way to declare it.
  ['p := n if { k := {n | s[n]}; some n in k; n > 1 }', 2],
  ['p := n if { k := {n | s[n]}; some n, m in [k]; m == {1, 2} }', 0],
  ['p := n if { k := {n | s[n]}; some n; k[n]; n > 1 }', 2],
  ['p := n if { k := {n | s[n]}; [n, _] := [8, k] }', 8],
  ['p := n if { k := {n | s[n]}; {"a": [n]} := {"a": [9]}; k[1] }', 9],
  ['p := n if { n := {n | s[n]} }', [1, 2]],
  // Every place of the closure.
  ['p := n if { count({n | s[n]}) == 2; n := 3 }', 3],
  ['p := n if { {1, 2} = {n | s[n]}; n := 9 }', 9],
  ['p := n if { 1 in {n | s[n]}; n := 9 }', 9],
  ['p := n if { some z in {n | s[n]}; n := z; z > 1 }', 2],
  ['p := n if { not 3 in {n | s[n]}; n := 9 }', 9],
  ['p := n if { every z in {n | s[n]} { z > 0 }; n := 9 }', 9],
  ['p := n if { k := $"{{n | s[n]}}"; k == "{1, 2}"; n := 9 }', 9],
  ['p := n if { k := count(input) with input as {n | s[n]}; n := k }', 2],
  ['p[n] := k if { k := {n | s[n]}; n := "a" }', { a: [1, 2] }],
  ['p contains n if { k := {n | s[n]}; n := count(k) }', [2]],
  ['p := 1 if { false } else := n if { k := {n | s[n]}; n := count(k) }', 2],
  ['p := f(1)\nf(a) := n if { k := {n | s[n]}; n := count(k) + a }', 3],
  // Closures in closures: the innermost has its own, whichever body declares the name.
  ['p := n if { k := {m | m := {n | s[n]}}; n := count(k) }', 1],
  ['p := k if { k := [m | m := [n | s[n]]; n := 1; n == 1] }', [[1, 2]]],
  [
    'p := n if { every m in [1] { k := {n | s[n]}; n := count(k) + m; n == 3 }; n := 4 }',
    4,
  ],
  // After the declaration it is the declared one.
  ['p := k if { n := 2; k := {n | s[n]} }', [2]],
  ['p := {n | s[n]} if { k := {n | s[n]}; n := count(k) }', [2]],
  ['p := f(1)\nf(a) := {a | s[a]}', [1]],
  // A name that nobody declares is one variable for the body and its closures.
  ['p := k if { k := {m | s[m]; m < n}; n = 2 }', [1]],
  // A declaration hides a rule of that name, before it as well.
  ['p := q if { k := {q | s[q]}; q := count(k) }', 2],
  ['p := k if { k := {q | s[q]} }', []],
]

const bad: readonly (readonly [string, string, RegExp])[] = [
  ['p := n if { k := {m | s[m]; m > n}; n := 1 }', 'rego_unsafe_var_error', /var n/],
  ['p := n if { every m in s { m > n }; n := 1 }', 'rego_unsafe_var_error', /var n/],
  ['p := n if { k := {n | s[n]}; n = count(k) }', 'rego_unsafe_var_error', /var n/],
  ['p := k if { k := {m | m := q}; q := 3 }', 'rego_unsafe_var_error', /var q/],
  ['p := n if { n > 1; n := 2 }', 'rego_compile_error', /var n referenced above/],
  ['p := n if { not n == 1; n := 2 }', 'rego_compile_error', /var n referenced above/],
  ['p := n if { k := $"{n}"; n := 2 }', 'rego_compile_error', /var n referenced above/],
  ['p := n if { print(n); n := 2 }', 'rego_compile_error', /var n referenced above/],
  ['p := n if { every m in n { m }; n := [] }', 'rego_compile_error', /referenced above/],
  ['p := k if { k := q; q := 3 }', 'rego_compile_error', /var q referenced above/],
  ['p := q if { q := q }', 'rego_compile_error', /var q referenced above/],
  ['f(a) := 1 if { a := 1 }', 'rego_compile_error', /arg a redeclared/],
  ['f([a, _]) := 1 if { some a in s }', 'rego_compile_error', /arg a redeclared/],
]

describe('The names of Rego', () => {
  for (const [rule, expected] of good) {
    it(`are told apart in ${rule}`, () => {
      const compiled = load(rule)
      assert.equal(compiled.kind, 'ok', inspect(compiled))
      const result = compiled.policy.evaluate('data.t.p')
      assert.equal(result.kind, 'value', inspect(result))
      assert.deepEqual(toJson(result.value), expected)
    })
  }

  for (const [rule, code, message] of bad) {
    it(`are refused in ${rule}`, () => {
      const compiled = load(rule)
      assert.equal(compiled.kind, 'invalid')
      const [error] = compiled.errors
      assert.equal(error?.code, code, inspect(error))
      assert.match(error?.message ?? '', message)
    })
  }

  it('are told apart in a query as well', () => {
    const compiled = load('')
    assert.equal(compiled.kind, 'ok')
    const result = compiled.policy.query('k := {n | data.t.s[n]}; n := count(k)')
    assert.equal(result.kind, 'rows', inspect(result))
    assert.equal(result.rows[0]?.bindings.get('n'), 2)
  })
})
