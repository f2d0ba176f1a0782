/**
 * What an evaluation stands in: the documents, what `with` has changed of them, and what has
 * been worked out so far. A context never changes its documents; `with` makes another one.
 */
import { EvalError } from './errors.js'
import { ObjectBuilder, RegoObject } from './value.js'
import type { BuiltinContext } from './builtin.js'
import type { Meter } from './limits.js'
import type { Callee } from './plan.js'
import type { DocNode } from './plan.js'
import type { Value } from './value.js'

/** Stands for "worked out, and undefined" in memories. */
export const UNDEFINED = Symbol('undefined')
export type Remembered = Value | typeof UNDEFINED

export type Mock =
  | { readonly kind: 'callee'; readonly callee: Callee }
  | { readonly kind: 'value'; readonly value: Value }

/** One query: what all its contexts share. */
export interface QueryState {
  readonly meter: Meter
  /** Report errors of built-ins instead of taking them as undefined. */
  readonly strict: boolean
  readonly builtins: BuiltinContext
  /** Results of functions that may answer differently the next time, by name and arguments. */
  readonly nondeterministic: Map<string, Remembered>
  /** Called with every rule whose body held, for coverage. */
  readonly covered: ((file: string, line: number) => void) | undefined
}

export interface Documents {
  readonly input: Value | undefined
  readonly data: RegoObject
  readonly mocks: ReadonlyMap<string, Mock> | undefined
  /** Nodes whose rules `with` has hidden. */
  readonly masked: ReadonlySet<DocNode> | undefined
  /** Collections that `with` has put into `data`: values, where all else is base data. */
  readonly replaced: ReadonlySet<Value> | undefined
}

export class Context implements Documents {
  readonly query: QueryState
  readonly input: Value | undefined
  readonly data: RegoObject
  readonly mocks: ReadonlyMap<string, Mock> | undefined
  readonly masked: ReadonlySet<DocNode> | undefined
  readonly replaced: ReadonlySet<Value> | undefined
  /** The context that `with` left; itself at the start. */
  readonly outer: Context
  /** By node: the value of its complete rules, or its whole document. */
  readonly values: Remembered[] = []
  /** By node: what its rules with variables in the head give. */
  readonly extents: Remembered[] = []
  /** By node: results of its function, by arguments. */
  readonly results: (Map<string, Remembered> | undefined)[] = []
  #unmocked: Context | undefined

  constructor(query: QueryState, documents: Documents, outer?: Context) {
    this.query = query
    this.input = documents.input
    this.data = documents.data
    this.mocks = documents.mocks
    this.masked = documents.masked
    this.replaced = documents.replaced
    this.outer = outer ?? this
  }

  /** As this one but for some of its documents; `outer` is what its `with` leaves. */
  changed(documents: Partial<Documents>, outer: Context): Context {
    const { input, data, mocks, masked, replaced } = this
    const kept: Documents = { input, data, mocks, masked, replaced }
    return new Context(this.query, { ...kept, ...documents }, outer)
  }

  /** As this one with no function replaced: what the body of a replacement sees. */
  get unmocked(): Context {
    this.#unmocked ??=
      this.mocks === undefined ? this : this.changed({ mocks: undefined }, this)
    return this.#unmocked
  }
}

/** Slots of one rule's run. */
export class Frame {
  readonly slots: Value[]
  context: Context
  readonly meter: Meter
  /** What the run has given so far. */
  value: Value | undefined = undefined

  constructor(context: Context, size: number) {
    this.slots = new Array<Value>(size)
    this.context = context
    this.meter = context.query.meter
  }
}

/** `base` with `value` at `path`; objects are made where there are none. */
export function upsert(
  base: Value | undefined,
  path: readonly Value[],
  value: Value,
): Value {
  const [first, ...rest] = path
  if (first === undefined) return value
  const builder = new ObjectBuilder()
  if (base instanceof RegoObject) for (const [key, old] of base) builder.set(key, old)
  const inner = base instanceof RegoObject ? base.get(first) : undefined
  return builder.set(first, upsert(inner, rest, value)).build()
}

/**
 * As `upsert`, where what is in the way must be an object. Throws eval_with_merge_error.
 * Adds what is no base data any longer to `replaced`: the value, in an identity of its own, and
 * earlier ones that it has been put into.
 */
export function upsertData(
  base: RegoObject,
  path: readonly Value[],
  value: Value,
  replaced: Set<Value>,
): RegoObject {
  let at: Value | undefined = base
  for (const key of path) {
    if (at === undefined) break
    if (!(at instanceof RegoObject)) throw mergeError()
    at = at.get(key)
  }
  const own = twin(value)
  replaced.add(own)
  const result = upsert(base, path, own)
  if (!(result instanceof RegoObject)) throw mergeError()
  let before: Value | undefined = base
  let after: Value | undefined = result
  for (const key of path) {
    if (!(before instanceof RegoObject && after instanceof RegoObject)) break
    if (replaced.has(before)) replaced.add(after)
    before = before.get(key)
    after = after.get(key)
  }
  return result
}

/** The same collection in an identity of its own: it may stand in base data as well. */
function twin(value: Value): Value {
  if (value instanceof RegoObject) return value.twin()
  return Array.isArray(value) ? [...(value as readonly Value[])] : value
}

function mergeError(): EvalError {
  return new EvalError(
    'eval_with_merge_error',
    'real and replacement data could not be merged',
  )
}
