/** Functions that the language itself stands on: comparison, membership, templates, print. */
import { EvalError } from './errors.js'
import { someMember } from './lookup.js'
import { regoToString } from './text.js'
import { compare, equal, RegoObject, RegoSet } from './value.js'
import { t } from './type-spec.js'
import type { Builtin } from './builtin.js'
import type { Value } from './value.js'

type Two = (a: Value, b: Value) => boolean

const COMPARISONS: readonly (readonly [string, Two])[] = [
  ['equal', equal],
  ['eq', equal],
  ['neq', (a, b) => !equal(a, b)],
  ['lt', (a, b) => compare(a, b) < 0],
  ['lte', (a, b) => compare(a, b) <= 0],
  ['gt', (a, b) => compare(a, b) > 0],
  ['gte', (a, b) => compare(a, b) >= 0],
  ['internal.member_2', isMember],
]

export function isMember(value: Value, collection: Value): boolean {
  if (collection instanceof RegoSet) return collection.has(value)
  return someMember(collection, (_key, member) => equal(member, value))
}

function isMemberAt(key: Value, value: Value, collection: Value): boolean {
  if (collection instanceof RegoObject) {
    const found = collection.get(key)
    return found !== undefined && equal(found, value)
  }
  return someMember(collection, (at, member) => equal(at, key) && equal(member, value))
}

function template(parts: Value): Value {
  return (parts as readonly Value[]).map(shown).join('')
}

/** A part of a template: text as it is, a set of the values that an expression has. */
function shown(part: Value): string {
  if (!(part instanceof RegoSet))
    return typeof part === 'string' ? part : regoToString(part)
  if (part.size > 1) {
    throw new EvalError(
      'eval_conflict_error',
      'template-strings must not produce multiple outputs',
    )
  }
  const [value] = part.values()
  if (value === undefined) return '<undefined>'
  return typeof value === 'string' ? value : regoToString(value)
}

/** One line for each combination of the arguments' values. */
function printed(args: readonly Value[]): string[] {
  let lines: string[] = ['']
  for (const [index, arg] of args.entries()) {
    const values = arg instanceof RegoSet && arg.size > 0 ? arg.values() : [undefined]
    const texts = values.map((value) =>
      value === undefined
        ? '<undefined>'
        : typeof value === 'string'
          ? value
          : regoToString(value),
    )
    const space = index === 0 ? '' : ' '
    lines = lines.flatMap((line) => texts.map((text) => line + space + text))
    if (lines.length > 100) lines = lines.slice(0, 100)
  }
  return lines
}

const intrinsics: readonly Builtin[] = [
  ...COMPARISONS.map(([name, test]): Builtin => ({
    name,
    arity: 2,
    args: [t.any, t.any],
    result: t.boolean,
    evaluate: ([a, b]) => test(a as Value, b as Value),
  })),
  {
    name: 'internal.member_3',
    arity: 3,
    args: [t.any, t.any, t.any],
    result: t.boolean,
    evaluate: ([key, value, collection]) =>
      isMemberAt(key as Value, value as Value, collection as Value),
  },
  {
    name: 'internal.template_string',
    arity: 1,
    args: [t.array()],
    result: t.string,
    evaluate: ([parts]) => template(parts as Value),
  },
  {
    name: 'internal.print',
    arity: 1,
    args: [t.array()],
    result: t.boolean,
    evaluate: ([args], context) => {
      for (const line of printed(args as readonly Value[])) context.print(line)
      return true
    },
  },
  // Lowered away; listed so that their names and arities are known.
  {
    name: 'assign',
    arity: 2,
    args: [t.any, t.any],
    result: t.boolean,
    evaluate: ([a, b]) => equal(a as Value, b as Value),
  },
  { name: 'print', arity: -1, args: [], result: t.boolean, evaluate: () => true },
]

export const intrinsicNames: ReadonlyMap<string, Builtin> = new Map(
  intrinsics.map((builtin) => [builtin.name, builtin]),
)
