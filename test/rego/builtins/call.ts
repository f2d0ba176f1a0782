import assert from 'node:assert/strict'
import { BuiltinError } from '../../../src/rego/builtin.js'
import type { BuiltinContext } from '../../../src/rego/builtin.js'
import { builtins } from '../../../src/rego/builtins/index.js'
import { re2Engine } from '../../../src/rego/regex.js'
import { fromJsonText, regoToString } from '../../../src/rego/text.js'
import type { Value } from '../../../src/rego/value.js'

const byName = new Map(builtins.map((builtin) => [builtin.name, builtin]))

/** A context that allows `steps`, and remembers what was printed. */
export function context(steps = 1_000_000): BuiltinContext & { printed: string[] } {
  let left = steps
  let seed = 1
  const printed: string[] = []
  return {
    printed,
    nowNs: 1_700_000_000_000_000_000n,
    random() {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    },
    step(count) {
      left -= count
      if (left < 0) throw new RangeError('out of steps')
    },
    regex: re2Engine(),
    print: (message) => printed.push(message),
    trace: (message) => printed.push(message),
    cache: new Map(),
  }
}

/** Calls a built-in; `undefined` is Rego's undefined. */
export function call(name: string, args: readonly Value[], given = context()) {
  const builtin = byName.get(name)
  if (builtin === undefined) throw new Error(`no built-in ${name}`)
  return builtin.evaluate(args, given)
}

/**
 * Name, operands as one JSON array (or values), and the result in Rego's notation; an error is
 * `!` and the message, `undefined` is itself.
 */
export type Row = readonly [string, string | readonly Value[], string]

export function check([name, operands, expected]: Row): void {
  const args = typeof operands === 'string' ? fromJsonText(operands) : operands
  let shown: string
  try {
    const value = call(name, args as readonly Value[])
    shown = value === undefined ? 'undefined' : regoToString(value)
  } catch (cause) {
    if (!(cause instanceof BuiltinError)) throw cause
    shown = `!${cause.message}`
  }
  assert.equal(shown, expected)
}

export function checkAll(rows: readonly Row[]): void {
  for (const row of rows) {
    const operands =
      typeof row[1] === 'string' ? row[1] : JSON.stringify(row[1].map(shownValue))
    it(`answers ${row[0]} of ${operands} with ${row[2]}`, () => check(row))
  }
}

function shownValue(value: Value): string {
  return regoToString(value)
}
