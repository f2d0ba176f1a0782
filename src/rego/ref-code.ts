/**
 * References: one step at a time down a document, through rules where they stand and through
 * base data where they do not. A key that is bound is looked up; one that is free is tried
 * with every member.
 */
import { isBound } from './schedule.js'
import { member, someMember } from './lookup.js'
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
  const keys = parts.flatMap((part) => (part.kind === 'key' ? [part.read] : []))
  if (keys.length === parts.length)
    return { kind: 'once', run: directRun(start, keys, match) }
  const visit = valueVisit(parts, 0, match)
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

function valueVisit(parts: readonly Part[], index: number, match: Match): Visit {
  const part = parts[index]
  if (part === undefined)
    return (frame, value, next) => match(frame, value) && next(frame)
  const rest = valueVisit(parts, index + 1, match)
  if (part.kind === 'key') {
    const { read } = part
    return (frame, value, next) => {
      const inner = member(value, read(frame))
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
  if (leavesRules) return valueStep((frame) => frame.context.data, parts, match)
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
  /** By position: the rest of the path inside a value. */
  readonly #visits: readonly Visit[]

  constructor(parts: readonly Part[], match: Match, program: Rules) {
    this.#parts = parts
    this.#program = program
    this.#visits = [...parts.keys(), parts.length].map((i) => valueVisit(parts, i, match))
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
      const inner = base === undefined ? undefined : member(base, key)
      if (child === undefined) return this.#value(run, inner, index + 1)
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
      const inner = base === undefined ? undefined : member(base, name)
      if (this.#at(run, child, inner, index + 1)) return true
    }
    if (!(base instanceof RegoObject)) return false
    for (const [key, inner] of base) {
      frame.meter.step(1)
      if (typeof key === 'string' && node.children.has(key)) continue
      if (part.match(frame, key) && this.#value(run, inner, index + 1)) return true
    }
    return false
  }

  #value(
    run: { frame: Frame; next: Run },
    value: Value | undefined,
    index: number,
  ): boolean {
    if (value === undefined) return false
    return (this.#visits[index] as Visit)(run.frame, value, run.next)
  }
}
