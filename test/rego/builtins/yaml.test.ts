import assert from 'node:assert/strict'
import { BuiltinError } from '../../../src/rego/builtin.js'
import { yamlBuiltins } from '../../../src/rego/builtins/yaml.js'
import { fromJsonText, regoToString } from '../../../src/rego/text.js'
import { yamlCodec } from '../../../tools/cases/rego-yaml.js'
import { context } from './call.js'

const byName = new Map(yamlBuiltins(yamlCodec).map((builtin) => [builtin.name, builtin]))

function evaluate(name: string, operand: string): string {
  try {
    const value = byName.get(name)?.evaluate([fromJsonText(operand)], context())
    return value === undefined ? 'undefined' : regoToString(value)
  } catch (cause) {
    if (cause instanceof BuiltinError) return `!${cause.message}`
    throw cause
  }
}

// Expected: YAML 1.1 as JSON has it, and OPA's documentation.
const rows: readonly (readonly [string, string, string])[] = [
  ['yaml.unmarshal', '"a: 1\\nb: [x, 2.5, yes]"', '{"a": 1, "b": ["x", 2.5, true]}'],
  ['yaml.unmarshal', '"1: {true: ~}"', '{"1": {"true": null}}'],
  ['yaml.unmarshal', '"12345678901234567890"', '12345678901234567890'],
  ['yaml.unmarshal', '"2020-01-02"', '"2020-01-02"'],
  ['yaml.unmarshal', '"a: &x [1]\\nb: *x"', '{"a": [1], "b": [1]}'],
  ['yaml.unmarshal', '"a: 1\\n---\\nb: 2"', '{"a": 1}'],
  ['yaml.is_valid', '"{a: 1}"', 'true'],
  ['yaml.is_valid', '"{a: 1"', 'false'],
  ['yaml.is_valid', '1', 'false'],
  [
    'yaml.marshal',
    '{"b": [1, {"c": null}], "a": "yes"}',
    '"a: \\"yes\\"\\nb:\\n- 1\\n- c: null\\n"',
  ],
]

describe('rego yaml', () => {
  for (const [name, operand, expected] of rows)
    it(`answers ${name} of ${operand} with ${expected}`, () => {
      assert.equal(evaluate(name, operand), expected)
    })

  it('says in which line a document is none', () => {
    assert.match(
      evaluate('yaml.unmarshal', '"[1,2,3"'),
      /^!yaml\.unmarshal: yaml: line 1: did not find/,
    )
    assert.match(
      evaluate('yaml.unmarshal', '"a: 1\\nb: [1"'),
      /yaml: line 2: did not find/,
    )
  })

  it('does not expand aliases without end', () => {
    const lines = ['a0: &a0 [1,1,1,1,1,1,1,1,1]']
    for (let n = 1; n < 12; n++)
      lines.push(
        `a${n}: &a${n} [${Array(9)
          .fill(`*a${n - 1}`)
          .join(',')}]`,
      )
    const text = JSON.stringify(lines.join('\n'))
    assert.match(evaluate('yaml.unmarshal', text), /excessive aliasing/)
  })
})
