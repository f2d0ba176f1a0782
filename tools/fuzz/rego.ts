/**
 * Policies that are nearly right. None may crash the compiler or the evaluator, take a second,
 * or touch a prototype; and what the parser reads, printed and read again, is the same tree.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { compileModules, fromJson } from '../../src/rego/index.js'
import { parseModule } from '../../src/rego/parser.js'
import { printModule } from '../../src/rego/printer.js'
import { casesFile } from '../../test/support/fixtures.js'
import { policies } from '../bench/rego-policies.js'
import type { Module } from '../../src/rego/ast.js'
import { mutateWords } from './words.js'
import type { FuzzTarget } from './target.js'

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, Map.prototype]
const pristine = PROTOTYPES.map(
  (prototype) => Object.getOwnPropertyNames(prototype).length,
)

const FIXTURES = [
  'package a\n\np contains [x, y] if { x := input.xs[i]; y := data.b[i]; not x == y }\n',
  'package a\n\nf(x, [y, _]) := z if { z := x + y } else := "no" if x > 1 else := null\np := f(1, [2, 3])\n',
  'package a\n\np[x].y[z] contains w if { some x, z in {"a": "b"}; every w1 in [1] { w1 > 0 }; w := $"{x} {z}" }\n',
  'package a\n\nimport data.b.c as d\ndefault p.q := {1, "a", null}\np.q := {k: v | some k, v in d} if true\n',
  'package a\n\np if { q with input.x as {"__proto__": 1} with count as 3 }\nq := object.union(input, {"k": [1, 2][_]})\n',
  'package a\n\np := walk(input)\nq := regex.match(`^(a+)+$`, input.s)\nr := sprintf("%5.2f %v", [1.5, {}])\n',
]

export const regoTarget: FuzzTarget = {
  name: 'rego',
  about: 'policies: load, print and read again, evaluate',
  seeds: () => starts.map((text) => Buffer.from(text)),
  check: (input, random) => {
    const text = input.toString()
    attempt(random() < 0.8 ? mutateWords(text, starts, random) : text)
  },
}

/** Recorded policies, where the environment names their folder. */
function recordedModules(): string[] {
  const file = casesFile('rego', 'opa-cases.jsonl')
  if (file === undefined) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => (JSON.parse(line) as { modules?: string[] }).modules ?? [])
}

const starts: readonly string[] = [
  ...FIXTURES,
  ...policies.map(({ text }) => text),
  ...recordedModules(),
]

const input = fromJson(
  JSON.parse(
    '{"xs": [1, "a", {"k": null}], "s": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "__proto__": {"x": 1}}',
  ),
)
const data = fromJson({ b: { c: { a: 1, b: [1, 2] } } })

function attempt(text: string): void {
  printsBack(text)
  runs(text)
  const touched = PROTOTYPES.some(
    (prototype, index) =>
      Object.getOwnPropertyNames(prototype).length !== pristine[index],
  )
  assert.equal(touched, false, `touched a prototype: ${JSON.stringify(text)}`)
}

function printsBack(text: string): void {
  let module: Module
  try {
    module = parseModule('fuzz.rego', text, 'v1')
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'LoadError') return
    throw cause
  }
  const printed = printModule(module)
  const again = parseModule('fuzz.rego', printed, 'v1')
  assert.deepEqual(withoutPlaces(again), withoutPlaces(module), JSON.stringify(text))
}

/** The tree without locations and comments, which printing does not keep. */
function withoutPlaces(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutPlaces)
  if (typeof node !== 'object' || node === null) return node
  return Object.entries(node)
    .filter(([key]) => key !== 'at' && key !== 'packageAt' && key !== 'comments')
    .map(([key, value]) => [key, withoutPlaces(value)])
}

function runs(text: string): void {
  const compiled = compileModules([{ name: 'fuzz.rego', text }])
  if (compiled.kind === 'invalid') {
    assert.ok(compiled.errors.length > 0, `refused without a reason: ${text}`)
    return
  }
  for (const strict of [false, true]) {
    const result = compiled.policy.evaluate('data', input, data, {
      strict,
      nowNs: 0n,
      maxSteps: 50_000,
      deadlineMs: 200,
    })
    const code = result.kind === 'error' ? result.code : undefined
    assert.notEqual(code, 'eval_internal_error', JSON.stringify(text))
  }
}
