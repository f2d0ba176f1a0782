import assert from 'node:assert/strict'
import { parseModule } from '../../src/rego/parser.js'
import { printModule } from '../../src/rego/printer.js'
import { policies } from '../../tools/bench/rego-policies.js'

const texts: readonly string[] = [
  ...policies.map(({ text }) => text),
  'package a["b c"].d\nimport data.x as y\nimport input.z\nimport rego.v1\n',
  'package a\ndefault p := {"x": [1, -2.5e3, null]}\ndefault f(_, _) := "no"\n',
  'package a\np contains [x, y] if { x := input.xs[i]["k"][y]; not x == y; some i }\n',
  'package a\nf(x, [y, {"k": _}]) := x + y * 2 - 1 if x > 1 else := x | {y} if { y } else := set()\n',
  'package a\np.q["r s"][x] contains 1 if some x, {"z": z} in input with input.a as 1 with count as f\n',
  'package a\np := [{k: v | some k, v in {1, 2}}, {x | x := 1}, [y | y = 2; y in [2]]]\n',
  'package a\np if { every k, v in input { k < v }; 1, 2 in input; data.x[_].if.in = `raw\\n` }\n',
  'package a\np := $"a{input.x with input as {"x": "\\""}} \\{ \\" {$`b{1}`}"\n',
  'package a\nif.x := contains("a", "b")\nq := {"a": 1}.a\nr := f(1)[2].z[0]\n',
]

describe('The printer of Rego', () => {
  for (const text of texts) {
    it(`writes what reads back equal: ${JSON.stringify(text.slice(0, 50))}`, () => {
      const module = parseModule('t.rego', text, 'v1')
      const again = parseModule('t.rego', printModule(module), 'v1')
      assert.deepEqual(withoutPlaces(again), withoutPlaces(module))
    })
  }

  it('writes operators as the calls that they are', () => {
    const module = parseModule('t.rego', 'package a\np := 1 + 2 * 3 in x', 'v1')
    assert.match(
      printModule(module),
      /p := internal\.member_2\(plus\(1, mul\(2, 3\)\), x\)/,
    )
  })
})

function withoutPlaces(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutPlaces)
  if (typeof node !== 'object' || node === null) return node
  return Object.entries(node)
    .filter(([key]) => key !== 'at' && key !== 'packageAt' && key !== 'comments')
    .map(([key, value]) => [key, withoutPlaces(value)])
}
