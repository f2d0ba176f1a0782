/** The language by table: a module, what is asked of it, and what the Rego documentation says. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { compileModules, toJson } from '../../src/rego/index.js'
import type { EvaluateOptions } from '../../src/rego/index.js'

interface Fixture {
  readonly title: string
  readonly module: string
  /** Document below `data.t`. */
  readonly ask?: string
  readonly input?: unknown
  readonly data?: unknown
  /** Left out: undefined. */
  readonly expected?: unknown
  readonly error?: string
  readonly options?: EvaluateOptions
}

const fixtures: readonly Fixture[] = [
  { title: 'a constant', module: 'p := 1', expected: 1 },
  { title: 'false is a value', module: 'p := false', expected: false },
  { title: 'a rule whose body fails is undefined', module: 'p if false' },
  { title: 'a default', module: 'default p := 7\np := 1 if input.x', expected: 7 },
  {
    title: 'all rules of a name agree',
    module: 'p := 1 if true\np := 1 if 1 == 1',
    expected: 1,
  },
  {
    title: 'rules of a name that disagree conflict',
    module: 'p := 1 if true\np := 2 if true',
    error: 'eval_conflict_error',
  },
  {
    title: 'one body with two values conflicts',
    module: 'p := x if some x in [1, 2]',
    error: 'eval_conflict_error',
  },
  {
    title: 'else in order',
    module: 'p := 1 if false else := 2 if true else := 3',
    expected: 2,
  },
  { title: 'else without a body', module: 'p := 1 if false\nelse := 3', expected: 3 },
  {
    title: 'sets in order without duplicates',
    module: 'p contains x if some x in [3, 1, 3, 2]',
    expected: [1, 2, 3],
  },
  {
    title: 'a set of two rules',
    module: 'p contains 2\np contains 1 if true',
    expected: [1, 2],
  },
  { title: 'an empty set', module: 'p contains 1 if false', expected: [] },
  {
    title: 'partial objects',
    module: 'p[k] := v if some k, v in {"a": 1, "b": 2}',
    expected: { a: 1, b: 2 },
  },
  {
    title: 'partial objects that disagree conflict',
    module: 'p["a"] := 1 if true\np[x] := 2 if x := "a"',
    error: 'eval_conflict_error',
  },
  {
    title: 'names with dots',
    module: 'p.a.b := 1\np.a.c := 2\np.d contains 3',
    expected: { a: { b: 1, c: 2 }, d: [3] },
  },
  {
    title: 'names with variables inside',
    module: 'p[x].y[z] := true if { some x in ["a", "b"]; some z in ["c"] }',
    expected: { a: { y: { c: true } }, b: { y: { c: true } } },
  },
  {
    title: 'sets inside partial objects',
    module: 'p[k] contains v if some k, v in {"a": 1, "b": 2}\np.a contains 9',
    expected: { a: [1, 9], b: [2] },
  },
  {
    title: 'an entry beside rules with variables',
    module: 'q[x] := 1 if x := "a"\nq.b := q.a + 1\np := q',
    expected: { a: 1, b: 2 },
  },
  {
    title: 'entries that need entries beside rules with variables',
    module: 'q[x] := 1 if x := "a"\nq.b := q.c + 1\nq.c := 2\np := q.b',
    expected: 3,
  },
  { title: 'functions', module: 'f(x) := x + 1\np := f(f(1))', expected: 3 },
  {
    title: 'functions by pattern',
    module: 'f([x, "a"]) := x\nf({"k": x}) := x\np := [f([1, "a"]), f({"k": 2})]',
    expected: [1, 2],
  },
  {
    title: 'functions with a default',
    module: 'default f(_) := "none"\nf(x) := "one" if x == 1\np := [f(1), f(2)]',
    expected: ['one', 'none'],
  },
  {
    title: 'functions that disagree conflict',
    module: 'f(x) := 1\nf(x) := 2\np := f(0)',
    error: 'eval_conflict_error',
  },
  {
    title: 'the result of a function as its last argument',
    module: 'f(x) := x * 2\np := y if { f(2, y) }',
    expected: 4,
  },
  {
    title: 'unification of arrays',
    module: 'p := [x, y] if [x, 2] = [1, y]',
    expected: [1, 2],
  },
  {
    title: 'unification of objects',
    module: 'p := x if {"a": 1, "b": x} = {"a": 1, "b": 2}',
    expected: 2,
  },
  { title: 'unification of unequal shapes', module: 'p if [1, x] = [1, 2, 3]' },
  {
    title: 'order of statements does not matter',
    module: 'p := z if { z = y + 1; y = x + 1; x = 1 }',
    expected: 3,
  },
  {
    title: 'references that iterate',
    module: 'p contains [i, x] if x := input.xs[i].v',
    input: { xs: [{ v: 1 }, {}, { v: 2 }] },
    expected: [
      [0, 1],
      [2, 2],
    ],
  },
  {
    title: 'joins',
    module: 'p contains x if { x := input.a[_]; x == input.b[_] }',
    input: { a: [1, 2, 3], b: [3, 2] },
    expected: [2, 3],
  },
  {
    title: 'membership of arrays, objects and sets',
    module: 'p if { 1 in [1]; 1 in {"a": 1}; 1 in {1}; not 2 in [1] }',
    expected: true,
  },
  {
    title: 'membership with keys',
    module: 'p if { "a", 1 in {"a": 1}; 0, 5 in [5] }',
    expected: true,
  },
  {
    title: 'some with a pattern',
    module: 'p contains x if some {"k": x} in [{"k": 1}, {"j": 2}, {"k": 3}]',
    expected: [1, 3],
  },
  { title: 'every', module: 'p if every x in [1, 2] { x < 3 }', expected: true },
  { title: 'every that fails', module: 'p if every i, x in [1, 5] { x < i + 3 }' },
  {
    title: 'every over nothing',
    module: 'p if every x in [] { x == 1 }',
    expected: true,
  },
  { title: 'every over the undefined', module: 'p if every x in input.none { x == 1 }' },
  { title: 'negation', module: 'p if not q\nq if input.x', expected: true },
  { title: 'negation of false', module: 'p if not q\nq := false', expected: true },
  {
    title: 'what a negated call takes must be defined',
    module: 'p if not f(input.x)\nf(x) if x == 1',
  },
  {
    title: 'a negated equation may be undefined',
    module: 'p if not input.x == 1',
    expected: true,
  },
  {
    title: 'comprehensions',
    module:
      'p := [a, s, o] if { a := [x * 2 | some x in [1, 2]]; s := {x % 2 | some x in [1, 2, 3]}; o := {k: v | some v, k in ["a", "b"]} }',
    expected: [[2, 4], [0, 1], { a: 0, b: 1 }],
  },
  {
    title: 'object comprehensions that disagree conflict',
    module: 'p := {"a": x | some x in [1, 2]}',
    error: 'eval_conflict_error',
  },
  {
    title: 'comprehensions see the variables around them',
    module: 'p := [ys | some x in [1, 2]; ys := [y | some y in [1, 2, 3]; y > x]]',
    expected: [[2, 3], [3]],
  },
  {
    title: 'with changes input',
    module: 'p := [a, b] if { a := q with input.x as 2; b := q }\nq := input.x',
    input: { x: 1 },
    expected: [2, 1],
  },
  {
    title: 'with changes data and hides rules',
    module:
      'p := [q, r] if true\nq := x if { x := s with data.t.s as 2 }\ns := 1\nr := s',
    expected: [2, 1],
  },
  {
    title: 'with changes functions',
    module: 'p := x if x := f(1) with f as g\nf(x) := x\ng(x) := x + 10',
    expected: 11,
  },
  {
    title: 'with changes built-ins',
    module: 'p := [a, count([1])] if a := q with count as 42\nq := count([1, 2])',
    expected: [42, 1],
  },
  {
    title: 'base data below packages',
    module: 'p := data.t.base.x',
    data: { t: { base: { x: 5 } } },
    expected: 5,
  },
  {
    title: 'whole packages, base and made',
    module: 'p := 1\nf(x) := x\nq if false',
    ask: 'data.t',
    data: { t: { z: 2 } },
    expected: { p: 1, z: 2 },
  },
  {
    title: 'keys of base data',
    module: 'p contains [k, j] if data.u[k][j] = 1',
    data: { u: { a: { x: 1, y: 2 }, b: [1] } },
    expected: [
      ['a', 'x'],
      ['b', 0],
    ],
  },
  {
    title: '`__proto__` as a key like others',
    module: 'p := {"__proto__": 1}["__proto__"]',
    expected: 1,
  },
  {
    title: 'no members that no one put there',
    module: 'p := input.constructor',
    input: {},
  },
  {
    title: 'whole numbers of any size',
    module: 'p := x == 9007199254740993 if x := 9007199254740992 + 1',
    expected: true,
  },
  {
    title: 'numbers by value',
    module: 'p if { 1 == 1.0; {1, 1.0} == {1}; 0.1 + 0.2 == 0.3 }',
    expected: true,
  },
  {
    title: 'templates',
    module: 'p := $"a {1 + 1} {input.x} {"s"} \\{"',
    expected: 'a 2 <undefined> s {',
  },
  { title: 'raw strings', module: 'p := `a\\n{`', expected: 'a\\n{' },
  { title: 'keywords as names of fields', module: 'p := {"if": 1}.if', expected: 1 },
  {
    title: 'sets as set operations',
    module: 'p := {1, 2} & {2, 3} | {4}',
    expected: [2, 4],
  },
  { title: 'precedence', module: 'p := 1 + 2 * 3 - 4', expected: 3 },
  {
    title: 'shadowing by assignment',
    module: 'x := 1\np := y if { x := 2; y := x }',
    expected: 2,
  },
  { title: 'an error of a built-in is undefined', module: 'p := 1 / 0' },
  {
    title: 'an error of a built-in when strict',
    module: 'p := 1 / 0',
    options: { strict: true },
    error: 'eval_builtin_error',
  },
  {
    title: 'a wrong type when strict',
    module: 'p := count(input.x)',
    input: { x: 1 },
    options: { strict: true },
    error: 'eval_type_error',
  },
]

describe('Rego', () => {
  for (const fixture of fixtures) {
    it(fixture.title, () => {
      const file = { name: 't.rego', text: `package t\n\n${fixture.module}\n` }
      const compiled = compileModules([file])
      assert.equal(compiled.kind, 'ok', inspect(compiled))
      const ask = fixture.ask ?? 'data.t.p'
      const { input, data, options } = fixture
      const result = compiled.policy.evaluate(ask, input, data, options)
      if (fixture.error !== undefined) {
        assert.equal(result.kind === 'error' ? result.code : result, fixture.error)
      } else if (fixture.expected === undefined) {
        assert.equal(result.kind, 'undefined')
      } else {
        assert.equal(result.kind, 'value', inspect(result))
        assert.deepEqual(toJson(result.value), fixture.expected)
      }
    })
  }
})
