/**
 * Numbers, booleans and text as keys of base data. In `data` a path is a list of texts, so that
 * a number finds the member of that name; values (of variables, of rules, of the input, of
 * `with`) are looked into as they are. The first three are OPA's own cases (its issue 3711).
 */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { compileModules, fromJsonText, toJson } from '../../src/rego/index.js'

const data = fromJsonText(`{
  "2": "bar",
  "nested": {
    "2": "bar", "true": "t", "null": "n", "1.5": "half", "1e2": "e", "100": "hundred",
    "12345678901234567890": "big",
    "list": ["a", "b", "c"],
    "deep": {"7": [{"0": "zero"}]}
  },
  "two": 2,
  "t": {"base": {"2": "b"}}
}`)

const rows: readonly (readonly [string, unknown])[] = [
  ['p := data[2]', 'bar'],
  ['p := data.nested[2]', 'bar'],
  ['p := o[2] if { o := data.nested }', undefined],
  // Whatever number it is, and wherever it comes from.
  ['p := data.nested[1.5]', 'half'],
  ['p := data.nested[1e2]', 'e'],
  ['p := data.nested[100]', 'hundred'],
  ['p := data.nested[12345678901234567890]', 'big'],
  ['p := data.nested[data.two]', 'bar'],
  ['p := v if { k := 1 + 1; v := data.nested[k] }', 'bar'],
  ['p := f(2)\nf(k) := data.nested[k]', 'bar'],
  ['p := v if { some 2, v in data.nested }', 'bar'],
  ['import data.nested as n\np := n[2]', 'bar'],
  ['p := data.nested[3]', undefined],
  ['p := data.nested[-2]', undefined],
  // Below it as well, and beside rules.
  ['p := data.nested.deep[7][0][0]', 'zero'],
  ['p := data.nested.deep[7]["0"]["0"]', 'zero'],
  ['p := [v | v := data.nested[_][7][_][0]]', ['zero']],
  ['p := data.t.base[2]', 'b'],
  ['p := data.t.base[k] if { k := data.two }\nother := 1', 'b'],
  // Text is an index where it is an integer.
  ['p := data.nested.list[1]', 'b'],
  ['p := data.nested.list["1"]', 'b'],
  ['p := data.nested.list["3"]', undefined],
  ['p := data.nested.list["-1"]', undefined],
  ['p := data.nested.list["b"]', undefined],
  ['p := data.nested.list["length"]', undefined],
  ['p := [k | data.nested.list[k] == "c"]', [2]],
  ['p := o["1"] if { o := data.nested.list }', undefined],
  // Booleans, null and collections are no names.
  ['p := data.nested[true]', undefined],
  ['p := data.nested[null]', undefined],
  ['p := data.nested[[2]]', undefined],
  ['p := data.nested[{"2": 2}]', undefined],
  // A deny rule fires, and its opposite does not.
  ['p contains "no" if data.nested[2] == "bar"', ['no']],
  ['p if { not data.nested[2] }', undefined],
  ['p if { not data.nested[3] }', true],
  // Rules and values keep their keys apart.
  ['p := data.t.r[2]\nr := {"2": "text"}', undefined],
  ['p := data.t.r["2"]\nr := {2: "number"}', undefined],
  ['p := data.t.r[2]\nr := {2: "number"}', 'number'],
  ['p := data.t.r[true]\nr := {true: 1, "true": 2}', 1],
  ['p := object.get(data.nested, 2, "none")', 'none'],
  ['p := v if { v := input[2] with input as data.nested }', undefined],
  ['p := v if { v := input.list["1"] with input as data.nested }', undefined],
  // So does what `with` puts into data; all around it stays base data.
  ['p := v if { v := data.nested[2] with data.nested as {"2": "m"} }', undefined],
  ['p := v if { v := data.nested["2"] with data.nested as {"2": "m"} }', 'm'],
  ['p := v if { v := data.nested[2] with data.nested as {2: "m"} }', 'm'],
  ['p := v if { v := data.nested[2] with data.nested[2] as "m" }', 'm'],
  ['p := v if { v := data.nested["2"] with data.nested[2] as "m" }', 'bar'],
  ['p := v if { v := data.nested[2] with data.nested.x as "m" }', 'bar'],
  ['p := v if { v := data.nested[2] with data.x as data.nested }', 'bar'],
  ['p := v if { v := data.x[2] with data.x as data.nested }', undefined],
  [
    'p := v if { v := data.x[2] with data.x as data.nested with data.x.y as 1 }',
    undefined,
  ],
  [
    'p := v if { v := data.nested.list["1"] with data.nested.list as ["m", "n"] }',
    undefined,
  ],
  ['p := v if { v := data.nested.list[1] with data.nested.list as ["m", "n"] }', 'n'],
  [
    'p := v if { v := [v | v := data.nested[_][2]] with data.nested as {"a": {"2": 1}, "b": {2: 3}} }',
    [3],
  ],
]

describe('Keys of data in Rego', () => {
  for (const [rule, expected] of rows) {
    it(`${rule} is ${inspect(expected)}`, () => {
      const compiled = compileModules([{ name: 't.rego', text: `package t\n${rule}` }])
      assert.equal(compiled.kind, 'ok', inspect(compiled))
      const result = compiled.policy.evaluate('data.t.p', undefined, data)
      assert.notEqual(result.kind, 'error', inspect(result))
      const got = result.kind === 'value' ? toJson(result.value) : undefined
      assert.deepEqual(got, expected)
    })
  }
})
