/** Variables of one rule: which slot a name is, in the scope where it stands. */
import { LoadError } from './errors.js'
import { declaredNames, ownNames } from './names.js'
import type { Body, Location, Term, VarTerm } from './ast.js'
import type { Global } from './names.js'
import type { Operand, Scope, SlotInfo } from './plan.js'

const NONE: ReadonlySet<string> = new Set()

export class Names {
  readonly slots: SlotInfo[] = []
  readonly #globals: ReadonlyMap<string, Global>

  constructor(globals: ReadonlyMap<string, Global>) {
    this.#globals = globals
  }

  /** A place without names of its own but those that are declared in it one by one. */
  bare(kind: 'arguments' | 'part', parent?: Scope): Scope {
    const declared = new Map<string, number>()
    return { kind, parent, declared, declares: NONE, own: NONE, implicit: new Map() }
  }

  /** The place of a body and of the `terms` that it gives its values to. */
  scope(
    kind: 'body' | 'closure',
    parent: Scope | undefined,
    body: Body,
    terms: readonly Term[] = [],
  ): Scope {
    return {
      kind,
      parent,
      declared: new Map(),
      declares: declaredNames(body),
      own: ownNames(body, terms),
      implicit: new Map(),
    }
  }

  /** Declares the variables of a pattern that is assigned to. Throws LoadError. */
  declareAll(term: Term, scope: Scope): void {
    if (term.kind === 'var') {
      if (term.name !== '_') this.declare(term.name, scope, term.at)
    } else if (term.kind === 'array') {
      for (const item of term.items) this.declareAll(item, scope)
    } else if (term.kind === 'object') {
      for (const [, value] of term.items) this.declareAll(value, scope)
    } else if (term.kind !== 'scalar') {
      throw compileError(`cannot assign to ${term.kind}`, term.at)
    }
  }

  /** Variables of a pattern of `some ... in`: the keys of objects in it are values. */
  declareIn(term: Term, scope: Scope): void {
    if (term.kind === 'var' && term.name !== '_') this.declare(term.name, scope, term.at)
    else if (term.kind === 'array') {
      for (const item of term.items) this.declareIn(item, scope)
    } else if (term.kind === 'object') {
      for (const [, value] of term.items) this.declareIn(value, scope)
    }
  }

  /** A new variable of that name in that scope. Throws LoadError where there is one. */
  declare(name: string, scope: Scope, at: Location): number {
    if (scope.declared.has(name)) throw compileError(`var ${name} declared above`, at)
    if (scope.implicit.has(name)) throw compileError(`var ${name} referenced above`, at)
    const { parent } = scope
    if (parent?.kind === 'arguments' && parent.declared.has(name)) {
      throw compileError(`arg ${name} redeclared`, at)
    }
    return this.declareSlot(name, scope, at)
  }

  declareSlot(name: string, scope: Scope, at: Location): number {
    const slot = this.slot(name, scope, at)
    if (name !== '_') scope.declared.set(name, slot)
    return slot
  }

  /**
   * The slot of a variable: the nearest declaration, else one shared by the outermost body
   * that speaks of the name. What a body declares further on, its closures up to there do not
   * share.
   */
  variable(term: VarTerm, scope: Scope): Operand {
    const { name, at } = term
    if (name === '_') return { kind: 'slot', slot: this.slot('_', scope, at) }
    let home: Scope = scope
    let inClosure = false
    for (let one: Scope | undefined = scope; one !== undefined; one = one.parent) {
      const declared = one.declared.get(name)
      if (declared !== undefined) return { kind: 'slot', slot: declared }
      if (one.own.has(name) && !(inClosure && one.declares.has(name))) home = one
      inClosure ||= one.kind === 'closure'
    }
    let slot = home.implicit.get(name)
    if (slot === undefined) {
      slot = this.slot(name, home, at)
      home.implicit.set(name, slot)
    }
    return { kind: 'slot', slot }
  }

  /** The document that a name stands for, unless a declaration hides it, here or further on. */
  global(name: string, scope: Scope): Global | undefined {
    for (let one: Scope | undefined = scope; one !== undefined; one = one.parent) {
      if (one.declared.has(name) || one.declares.has(name)) return undefined
    }
    return this.#globals.get(name)
  }

  /** A slot for a value that the author gave no name. */
  temporary(scope: Scope, at: Location, name?: string): { kind: 'slot'; slot: number } {
    return { kind: 'slot', slot: this.slot(name, scope, at) }
  }

  slot(name: string | undefined, scope: Scope, at: Location): number {
    this.slots.push({ name, scope, at })
    return this.slots.length - 1
  }
}

function compileError(message: string, at: Location): LoadError {
  return new LoadError('rego_compile_error', message, at)
}
