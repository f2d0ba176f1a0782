/**
 * Builds the document of rules with variables in their heads: objects inside objects, with
 * values or sets as leaves. Two rules may add to one object or one set; two different values
 * for one leaf are a conflict.
 */
import { EvalError } from './errors.js'
import { equal, keyOf, ObjectBuilder, SetBuilder } from './value.js'
import type { Place } from './errors.js'
import type { Key, Value } from './value.js'

type Cell =
  | { readonly kind: 'leaf'; readonly value: Value }
  | { readonly kind: 'set'; readonly members: SetBuilder }
  | { readonly kind: 'object'; readonly cells: Map<Key, Entry> }

interface Entry {
  readonly key: Value
  readonly cell: Cell
}

export class DocBuilder {
  /** Length of the path of the document that is built. */
  readonly depth: number
  readonly #place: Place
  #top: Cell | undefined

  constructor(place: Place & { readonly depth: number }) {
    this.#place = place
    this.depth = place.depth
  }

  /** An object, even when nothing is added. */
  makeObject(): void {
    this.#top ??= { kind: 'object', cells: new Map() }
  }

  add(path: readonly Value[], value: Value): void {
    this.#put(path, (cell) => {
      if (cell === undefined) return { kind: 'leaf', value }
      if (cell.kind !== 'leaf' || !equal(cell.value, value)) throw this.#conflict()
      return cell
    })
  }

  /** A set at `path`, even when nothing is added. */
  makeSet(path: readonly Value[]): void {
    this.#put(path, (cell) => cell ?? { kind: 'set', members: new SetBuilder() })
  }

  addMember(path: readonly Value[], value: Value): void {
    this.#put(path, (cell) => {
      const set = cell ?? { kind: 'set' as const, members: new SetBuilder() }
      if (set.kind !== 'set') throw this.#conflict()
      set.members.add(value)
      return set
    })
  }

  build(): Value | undefined {
    return this.#top === undefined ? undefined : valueOf(this.#top)
  }

  #put(path: readonly Value[], change: (cell: Cell | undefined) => Cell): void {
    if (path.length === 0) {
      this.#top = change(this.#top)
      return
    }
    this.#top ??= { kind: 'object', cells: new Map() }
    let at: Cell = this.#top
    for (const [index, key] of path.entries()) {
      if (at.kind !== 'object') throw this.#conflict()
      const id = keyOf(key)
      const found: Cell | undefined = at.cells.get(id)?.cell
      if (index === path.length - 1) {
        at.cells.set(id, { key, cell: change(found) })
        return
      }
      const inner: Cell = found ?? { kind: 'object', cells: new Map() }
      if (found === undefined) at.cells.set(id, { key, cell: inner })
      at = inner
    }
  }

  #conflict(): EvalError {
    return new EvalError('eval_conflict_error', 'object keys must be unique', this.#place)
  }
}

function valueOf(cell: Cell): Value {
  if (cell.kind === 'leaf') return cell.value
  if (cell.kind === 'set') return cell.members.build()
  const builder = new ObjectBuilder()
  for (const { key, cell: inner } of cell.cells.values()) builder.set(key, valueOf(inner))
  return builder.build()
}
