/** Variables of one rule: which slot a name is, in the scope where it stands. */
import { LoadError } from './errors.js'
import type { Location, Term, VarTerm } from './ast.js'
import type { Global } from './names.js'
import type { Operand, Scope, SlotInfo } from './plan.js'

export class Names {
  readonly slots: SlotInfo[] = []
  readonly #globals: ReadonlyMap<string, Global>

  constructor(globals: ReadonlyMap<string, Global>) {
    this.#globals = globals
  }

  scope(parent: Scope | undefined, own: ReadonlySet<string>): Scope {
    return { parent, declared: new Map(), own, implicit: new Map() }
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
    return this.declareSlot(name, scope, at)
  }

  declareSlot(name: string, scope: Scope, at: Location): number {
    const slot = this.slot(name, scope, at)
    if (name !== '_') scope.declared.set(name, slot)
    return slot
  }

  /**
   * The slot of a variable: the nearest declaration, else one shared by the outermost body
   * that speaks of the name.
   */
  variable(term: VarTerm, scope: Scope): Operand {
    const { name, at } = term
    if (name === '_') return { kind: 'slot', slot: this.slot('_', scope, at) }
    let home: Scope = scope
    for (let one: Scope | undefined = scope; one !== undefined; one = one.parent) {
      const declared = one.declared.get(name)
      if (declared !== undefined) return { kind: 'slot', slot: declared }
      if (one.own.has(name)) home = one
    }
    let slot = home.implicit.get(name)
    if (slot === undefined) {
      slot = this.slot(name, home, at)
      home.implicit.set(name, slot)
    }
    return { kind: 'slot', slot }
  }

  /** The document that a name stands for, unless a declaration hides it. */
  global(name: string, scope: Scope): Global | undefined {
    for (let one: Scope | undefined = scope; one !== undefined; one = one.parent) {
      if (one.declared.has(name)) return undefined
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
