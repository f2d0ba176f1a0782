/**
 * References: one step at a time down a document, through rules where they stand and through
 * base data where they do not. A key that is bound is looked up; one that is free is tried
 * with every member.
 */
import { isBound } from './schedule.js'
import { baseMember, member, someMember } from './lookup.js'
import { matchOperand, readOperand } from './operand-code.js'
import { RegoObject } from './value.js'
import type { Frame } from './context.js'
import type { Match, Read } from './operand-code.js'
import type { Operand, RefStep } from './plan.js'
import type { Op, Rules, Run } from './run.js'
import type { DocNode } from './plan.js'
import type { Value } from './value.js'

/** One key of the path: known, or to be found. */
type Part =
  | { readonly kind: 'key'; readonly read: Read; readonly constant: Value | undefined }
  | { readonly kind: 'any'; readonly match: Match }

type Visit = (frame: Frame, value: Value, next: Run) => boolean
/** One key further into a value. */
type Look = (collection: Value, key: Value) => Value | undefined
/** Where the reference starts; undefined ends it. */
type Start = (frame: Frame) => Value | undefined

export function referenceStep(step: RefStep, bound: Set<number>, program: Rules): Op {
  const rootRead = typeof step.root === 'object' ? readOperand(step.root) : undefined
  const parts = step.path.map((operand) => partOf(operand, bound))
  const match = step.out === undefined ? isTrue : matchOperand(step.out, bound)
  if (step.root === 'data') return dataStep(parts, match, program)
  const start: Start = rootRead ?? ((frame) => frame.context.input)
  return valueStep(start, parts, match)
}

const isTrue: Match = (_frame, value) => value !== false

function partOf(operand: Operand, bound: Set<number>): Part {
  if (isBound(operand, bound)) {
    const constant = operand.kind === 'constant' ? operand.value : undefined
    return { kind: 'key', read: readOperand(operand), constant }
  }
  return { kind: 'any', match: matchOperand(operand, bound) }
}

/** The rest of a reference inside a value that is at hand. */
function valueStep(start: Start, parts: readonly Part[], match: Match): Op {
  const keys = keysOf(parts)
  if (keys !== undefined) return { kind: 'once', run: directRun(start, keys, match) }
  return visitStep(start, valueVisits(parts, match)[0] as Visit)
}

/** A reference into base data, where no rule stands in its way. */
function baseStep(parts: readonly Part[], match: Match): Op {
  const keys = keysOf(parts)
  if (keys !== undefined) return { kind: 'once', run: directBaseRun(keys, match) }
  const visit = baseVisits(parts, valueVisits(parts, match))[0] as Visit
  return visitStep((frame) => frame.context.data, visit)
}

/** The keys of a path without free ones. */
function keysOf(parts: readonly Part[]): readonly Read[] | undefined {
  const keys = parts.flatMap((part) => (part.kind === 'key' ? [part.read] : []))
  return keys.length === parts.length ? keys : undefined
}

function visitStep(start: Start, visit: Visit): Op {
  return {
    kind: 'many',
    around: (next) => (frame) => {
      const value = start(frame)
      return value !== undefined && visit(frame, value, next)
    },
  }
}

function directRun(start: Start, keys: readonly Read[], match: Match): Run {
  return (frame) => {
    let value = start(frame)
    for (let i = 0; i < keys.length; i++) {
      if (value === undefined) return false
      value = member(value, (keys[i] as Read)(frame))
    }
    if (value === undefined) return false
    const fits = match(frame, value)
    frame.meter.compared()
    return fits
  }
}

/** As `directRun` from the root of base data. What `with` has put there is looked into as is. */
function directBaseRun(keys: readonly Read[], match: Match): Run {
  return (frame) => {
    const { data, replaced } = frame.context
    let value: Value | undefined = data
    let look: Look = baseMember
    for (let i = 0; i < keys.length; i++) {
      if (value === undefined) return false
      if (replaced?.has(value) === true) look = member
      value = look(value, (keys[i] as Read)(frame))
    }
    if (value === undefined) return false
    const fits = match(frame, value)
    frame.meter.compared()
    return fits
  }
}

/** By position: the rest of the path inside a value. */
function valueVisits(parts: readonly Part[], match: Match): readonly Visit[] {
  const visits: Visit[] = [(frame, value, next) => match(frame, value) && next(frame)]
  for (const part of [...parts].reverse()) {
    visits.unshift(visitOf(part, visits[0] as Visit, member))
  }
  return visits
}

/** As `valueVisits` inside base data: what `with` has put there goes on as `values` do. */
function baseVisits(parts: readonly Part[], values: readonly Visit[]): readonly Visit[] {
  const visits: Visit[] = [values.at(-1) as Visit]
  for (let i = parts.length - 1; i >= 0; i--) {
    const base = visitOf(parts[i] as Part, visits[0] as Visit, baseMember)
    const own = values[i] as Visit
    visits.unshift((frame, value, next) => {
      const isOwn = frame.context.replaced?.has(value) === true
      return (isOwn ? own : base)(frame, value, next)
    })
  }
  return visits
}

function visitOf(part: Part, rest: Visit, look: Look): Visit {
  if (part.kind === 'key') {
    const { read } = part
    return (frame, value, next) => {
      const inner = look(value, read(frame))
      return inner !== undefined && rest(frame, inner, next)
    }
  }
  const { match: matchKey } = part
  return (frame, value, next) =>
    someMember(value, (key, inner) => {
      if (--frame.meter.left < 0) frame.meter.refill()
      frame.meter.compared()
      return matchKey(frame, key) && rest(frame, inner, next)
    })
}

/** A reference into `data`: as far as its constants lead, the node is found now. */
function dataStep(parts: readonly Part[], match: Match, program: Rules): Op {
  let node: DocNode | undefined = program.tree.root
  let index = 0
  for (; index < parts.length; index++) {
    const part = parts[index] as Part
    if (part.kind === 'any' || typeof part.constant !== 'string') break
    const child: DocNode | undefined = node.children.get(part.constant)
    if (child === undefined || node.kind !== 'none') break
    node = child
    if (node.kind === 'complete' || node.kind === 'set') return leafStep(node, index + 1)
  }
  const base = parts[index]
  const leavesRules =
    node.kind === 'none' && base?.kind === 'key' && typeof base.constant === 'string'
  if (leavesRules) return baseStep(parts, match)
  const walk = new DataWalk(parts, match, program)
  const start = node
  return {
    kind: 'many',
    around: (next) => (frame) => walk.from(frame, start, index, next),
  }

  function leafStep(leaf: DocNode, depth: number): Op {
    const prefix = leaf.path
    return valueStep(
      (frame) => {
        if (frame.context.masked?.has(leaf) === true) {
          return baseAt(frame.context.data, prefix)
        }
        return program.valueOf(frame.context, leaf)
      },
      parts.slice(depth),
      match,
    )
  }
}

export function baseAt(data: RegoObject, path: readonly string[]): Value | undefined {
  let value: Value | undefined = data
  for (const key of path) {
    if (!(value instanceof RegoObject)) return undefined
    value = value.get(key)
  }
  return value
}

/** A reference whose keys are only known when it runs. */
class DataWalk {
  readonly #parts: readonly Part[]
  readonly #program: Rules
  /** By position: the rest of the path inside a value, and inside base data. */
  readonly #values: readonly Visit[]
  readonly #bases: readonly Visit[]

  constructor(parts: readonly Part[], match: Match, program: Rules) {
    this.#parts = parts
    this.#program = program
    this.#values = valueVisits(parts, match)
    this.#bases = baseVisits(parts, this.#values)
  }

  from(frame: Frame, node: DocNode, index: number, next: Run): boolean {
    const base = baseAt(frame.context.data, node.path)
    return this.#at({ frame, next }, node, base, index)
  }

  #at(
    run: { frame: Frame; next: Run },
    node: DocNode,
    base: Value | undefined,
    index: number,
  ): boolean {
    const { frame } = run
    const { context } = frame
    if (context.masked?.has(node) === true) return this.#value(run, base, index)
    const part = this.#parts[index]
    if (part === undefined || node.kind === 'complete' || node.kind === 'set') {
      return this.#value(run, this.#program.document(context, node, base), index)
    }
    if (node.kind === 'function') return false
    if (part.kind === 'key') {
      const key = part.read(frame)
      const child = typeof key === 'string' ? node.children.get(key) : undefined
      if (node.kind === 'object') {
        return this.#value(run, this.#program.entry(context, node, key), index + 1)
      }
      const inner = base === undefined ? undefined : baseMember(base, key)
      if (child === undefined) return this.#base(run, inner, index + 1)
      return this.#at(run, child, inner, index + 1)
    }
    if (node.kind === 'object') {
      return this.#value(run, this.#program.document(context, node, base), index)
    }
    return this.#members(run, node, base, index)
  }

  /** Tries every key of a node without rules of its own. */
  #members(
    run: { frame: Frame; next: Run },
    node: DocNode,
    base: Value | undefined,
    index: number,
  ): boolean {
    const { frame } = run
    const part = this.#parts[index]
    if (part?.kind !== 'any') return false
    for (const [name, child] of node.children) {
      frame.meter.step(1)
      if (child.kind === 'function' || !part.match(frame, name)) continue
      const inner = base === undefined ? undefined : baseMember(base, name)
      if (this.#at(run, child, inner, index + 1)) return true
    }
    if (!(base instanceof RegoObject)) return false
    for (const [key, inner] of base) {
      frame.meter.step(1)
      if (typeof key === 'string' && node.children.has(key)) continue
      if (part.match(frame, key) && this.#base(run, inner, index + 1)) return true
    }
    return false
  }

  #value(
    run: { frame: Frame; next: Run },
    value: Value | undefined,
    index: number,
  ): boolean {
    if (value === undefined) return false
    return (this.#values[index] as Visit)(run.frame, value, run.next)
  }

  #base(
    run: { frame: Frame; next: Run },
    value: Value | undefined,
    index: number,
  ): boolean {
    if (value === undefined) return false
    return (this.#bases[index] as Visit)(run.frame, value, run.next)
  }
}
