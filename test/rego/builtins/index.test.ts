import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'
import { BuiltinError } from '../../../src/rego/builtin.js'
import { builtins, unsupported } from '../../../src/rego/builtins/index.js'
import { yamlBuiltins } from '../../../src/rego/builtins/yaml.js'
import type { TypeSpec } from '../../../src/rego/type-spec.js'
import { numberFromText, objectOf, setOf } from '../../../src/rego/value.js'
import type { Value } from '../../../src/rego/value.js'
import { context } from './call.js'

const readme = readFileSync(packageFile('src', 'rego', 'builtins', 'README.md'), 'utf8')

/** Park and Miller's generator, so that a failure can be had again. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const strings = [
  '',
  'a',
  'ä😀',
  '\ud800',
  '__proto__',
  '%d %[2]*.[1]*f',
  '{{.a}}{{range .}}',
  '[a-z]*',
  '(a+)+$',
  '(',
  '{a,b}',
  '10.0.0.0/8',
  '::1/64',
  '1.0.0-rc.1',
  '10Gi',
  '1e9',
  '-5',
  'YWJj',
  '%41%',
  'a=b&c',
  '{"kty":"RSA","n":"x"}',
  'eyJhbGciOiJIUzI1NiJ9.e30.AAAA',
  'Europe/Berlin',
  '2006-01-02T15:04:05Z',
  '3h',
  '/a/0',
  '~0~1',
  '$1${x}',
] as const
const numbers = [
  '0',
  '1',
  '-1',
  '3.5',
  '1e30',
  '1e-30',
  '9007199254740993',
  '1e99999',
  '1.0',
  '-9223372036854775808',
]

describe('rego built-ins', () => {
  it('have one name each, and types for all their operands', () => {
    const names = builtins.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    for (const { name, arity, args } of builtins)
      if (arity >= 0) assert.equal(args.length, arity, name)
    assert.deepEqual(
      unsupported.filter((name) => names.includes(name)),
      [],
    )
  })

  it('are told of in the README, supported or not', () => {
    const [supported = '', missing = ''] = readme.split('| not supported')
    for (const { name } of builtins) assert.ok(supported.includes(`\`${name}\``), name)
    const given = new Set(
      yamlBuiltins({ parse: () => null, stringify: () => '' }).map(({ name }) => name),
    )
    for (const name of unsupported)
      assert.ok((given.has(name) ? supported : missing).includes(`\`${name}\``), name)
  })

  it('refuse what they cannot do, and never fail otherwise', () => {
    const random = generator(20_260)
    const pick = <T>(list: readonly T[]): T =>
      list[Math.floor(random() * list.length)] as T
    const any = (depth: number): Value => {
      const kind = random()
      if (kind < 0.4) return pick(strings)
      if (kind < 0.65) return numberFromText(pick(numbers)) ?? 0
      if (kind < 0.75 || depth === 0) return pick([null, true, false])
      const members = [any(depth - 1), any(depth - 1)]
      if (kind < 0.85) return members
      return kind < 0.92
        ? setOf(members)
        : objectOf(members.map((value) => [pick(strings), value]))
    }
    const fitting = (spec: TypeSpec): Value => {
      if (random() < 0.1) return any(2)
      switch (spec.kind) {
        case 'string':
          return pick(strings)
        case 'number':
          return numberFromText(pick(numbers)) ?? 0
        case 'array':
          return spec.items === undefined
            ? spec.first.map(fitting)
            : [fitting(spec.items), fitting(spec.items)]
        case 'set':
          return setOf([fitting(spec.of)])
        case 'object':
          return objectOf([[fitting(spec.key), fitting(spec.value)]])
        case 'one-of':
          return fitting(pick(spec.of))
        case 'any':
        case 'null':
        case 'boolean':
          return any(2)
      }
    }
    const outOfSteps = new RangeError('out of steps')
    for (const builtin of builtins) {
      for (let round = 0; round < 60; round++) {
        const args = builtin.arity < 0 ? [any(1)] : builtin.args.map(fitting)
        let left = 50_000
        const step = (count: number): void => {
          assert.ok(count >= 0, builtin.name)
          left -= count
          if (left < 0) throw outOfSteps
        }
        try {
          builtin.evaluate(args, { ...context(), step })
        } catch (cause) {
          if (cause !== outOfSteps && !(cause instanceof BuiltinError)) throw cause
        }
      }
    }
  })
})
