/**
 * Syntax to plan, one rule at a time: resolves names, gives variables their slots, and takes
 * nested references and calls out into steps that come before. What is taken out of a negated
 * expression stays outside of the negation, as in OPA: `not f(input.x)` is undefined where
 * `input.x` is.
 */
import { LoadError, unreachable } from './errors.js'
import { written } from './names.js'
import { Names } from './scopes.js'
import { fold, unifyOperands } from './patterns.js'
import type {
  Body,
  CallTerm,
  ComprehensionTerm,
  Expression,
  Literal,
  Location,
  RefTerm,
  TemplateTerm,
  Term,
  VarTerm,
  With,
} from './ast.js'
import type { Global } from './names.js'
import type { Callee, Change, Operand, Replacement, Root, Scope, Step } from './plan.js'
import type { DocNode } from './plan.js'
import type { RuleTree } from './tree.js'
import type { Value } from './value.js'

export interface LowerContext {
  readonly globals: ReadonlyMap<string, Global>
  readonly tree: RuleTree
  /** Arity of a built-in, undefined when there is none of that name; -1 is any. */
  readonly arityOf: (builtin: string) => number | undefined
  /** Is it a built-in that OPA has and we have not? */
  readonly isUnsupported: (name: string) => boolean
}

/** Where the steps of one expression go. */
interface Place {
  readonly scope: Scope
  readonly steps: Step[]
}

const TRUE: Operand = { kind: 'constant', value: true }

export class Lowering {
  readonly names: Names
  readonly #context: LowerContext

  constructor(context: LowerContext) {
    this.#context = context
    this.names = new Names(context.globals)
  }

  body(body: Body, place: Place): void {
    for (const literal of body) this.#literal(literal, place)
  }

  #literal(literal: Literal, outer: Place): void {
    const { scope } = outer
    const { at } = literal
    const changes = literal.withs.map((one) => this.#change(one, outer))
    const steps: Step[] = changes.length === 0 ? outer.steps : []
    const place = { scope, steps }
    if (literal.negated) {
      const inner = { scope: this.names.bare('part', scope), steps: [] as Step[] }
      this.#expression(literal.expression, place, inner, at)
      steps.push({ kind: 'not', scope: inner.scope, body: inner.steps, at })
    } else {
      this.#expression(literal.expression, place, place, at)
    }
    if (changes.length > 0) outer.steps.push({ kind: 'with', changes, body: steps, at })
  }

  /** `main` takes the expression itself, `place` what is taken out of it. */
  #expression(expression: Expression, place: Place, main: Place, at: Location): void {
    switch (expression.kind) {
      case 'term':
        this.#statement(expression.term, place, main)
        return
      case 'unify':
        this.#unify(expression.left, expression.right, place, main)
        return
      case 'assign':
        this.#assign(expression.left, expression.right, place, main)
        return
      case 'some':
        for (const { name, at: where } of expression.names)
          this.names.declare(name, place.scope, where)
        return
      case 'some-in':
        this.#someIn(expression, main, at)
        return
      case 'every':
        this.#every(expression, place, main, at)
        return
      default:
        unreachable(expression)
    }
  }

  #statement(term: Term, place: Place, main: Place): void {
    const { at } = term
    const global = term.kind === 'ref' || term.kind === 'var'
    if (global && this.#isDocument(term, place.scope)) {
      main.steps.push({ kind: 'ref', ...this.#ref(term, place), out: undefined, at })
      return
    }
    if (term.kind !== 'call') {
      main.steps.push({ kind: 'test', operand: this.term(term, place), at })
      return
    }
    const name = this.#builtinName(term, place.scope)
    const [left, right, third] = term.args
    if (left !== undefined && right !== undefined && third === undefined) {
      if (name === 'eq') return this.#unify(left, right, place, main)
      if (name === 'assign') return this.#assign(left, right, place, main)
      if (name === 'equal') {
        const a = this.#side(left, place, main)
        const b = this.#side(right, place, main)
        main.steps.push({ kind: 'equal', left: a, right: b, at })
        return
      }
    }
    if (name === 'print') return this.#print(term, place)
    main.steps.push(this.#call(term, place, 'statement'))
  }

  /** `print` shows what is undefined too, so each argument is a set of what it gives. */
  #print(term: CallTerm, place: Place): void {
    const items = term.args.map((arg) =>
      this.#alternatives({ expression: { kind: 'term', term: arg }, at: arg.at }, place),
    )
    const callee: Callee = { kind: 'builtin', name: 'internal.print' }
    const args: Operand[] = [{ kind: 'array', items }]
    place.steps.push({ kind: 'call', callee, args, out: undefined, at: term.at })
  }

  #unify(left: Term, right: Term, place: Place, main: Place): void {
    const { at } = left
    if (this.#isDocument(right, place.scope)) {
      const out = this.#side(left, place, main)
      main.steps.push({ kind: 'ref', ...this.#ref(right, place), out, at })
    } else if (this.#isDocument(left, place.scope)) {
      const out = this.#side(right, place, main)
      main.steps.push({ kind: 'ref', ...this.#ref(left, place), out, at })
    } else if (right.kind === 'call' && place === main) {
      main.steps.push(this.#call(right, place, this.term(left, place)))
    } else {
      const a = this.#side(left, place, main)
      const b = this.#side(right, place, main)
      unifyOperands(a, b, main.steps, at)
    }
  }

  /** One side of an equation: references and comprehensions stay with it. */
  #side(term: Term, place: Place, main: Place): Operand {
    if (this.#isDocument(term, place.scope)) {
      const out = this.names.temporary(main.scope, term.at)
      main.steps.push({ kind: 'ref', ...this.#ref(term, place), out, at: term.at })
      return out
    }
    if (term.kind === 'comprehension') return this.#comprehension(term, main)
    return this.term(term, place)
  }

  #assign(left: Term, right: Term, place: Place, main: Place): void {
    const { at } = left
    const { scope } = place
    if (this.#isDocument(right, scope)) {
      const step = this.#ref(right, place)
      main.steps.push({ kind: 'ref', ...step, out: this.#pattern(left, place), at })
    } else if (right.kind === 'call' && place === main) {
      const call = this.#call(right, place, TRUE)
      main.steps.push({ ...call, out: this.#pattern(left, place) })
    } else {
      const value = this.#side(right, place, main)
      unifyOperands(this.#pattern(left, place), value, main.steps, at)
    }
  }

  /** Declares the variables of a pattern, then reads it. */
  #pattern(term: Term, place: Place): Operand {
    this.names.declareAll(term, place.scope)
    return this.term(term, place)
  }

  #someIn(
    expression: Extract<Expression, { kind: 'some-in' }>,
    place: Place,
    at: Location,
  ): void {
    const { scope } = place
    const root = this.#rootOf(expression.collection, place)
    const terms = expression.key === undefined ? [] : [expression.key]
    for (const term of [...terms, expression.value]) this.names.declareIn(term, scope)
    const key =
      expression.key === undefined
        ? this.names.temporary(scope, at, '_')
        : this.term(expression.key, place)
    const out = this.term(expression.value, place)
    place.steps.push({ kind: 'ref', root: root.root, path: [...root.path, key], out, at })
  }

  #rootOf(term: Term, place: Place): { root: Root; path: readonly Operand[] } {
    if (this.#isDocument(term, place.scope)) return this.#ref(term, place)
    return { root: this.term(term, place), path: [] }
  }

  #every(
    expression: Extract<Expression, { kind: 'every' }>,
    place: Place,
    main: Place,
    at: Location,
  ): void {
    const domain = this.term(expression.domain, place)
    const scope = this.names.scope('closure', main.scope, expression.body)
    const key =
      expression.key === undefined
        ? undefined
        : this.names.declareSlot(expression.key.name, scope, expression.key.at)
    const value = this.names.declareSlot(
      expression.value.name,
      scope,
      expression.value.at,
    )
    const body: Step[] = []
    this.body(expression.body, { scope, steps: body })
    main.steps.push({ kind: 'every', scope, domain, key, value, body, at })
  }

  term(term: Term, place: Place): Operand {
    switch (term.kind) {
      case 'scalar':
        return { kind: 'constant', value: term.value }
      case 'var':
        if (!this.#isDocument(term, place.scope))
          return this.names.variable(term, place.scope)
        return this.#refValue(term, place)
      case 'ref':
        return this.#refValue(term, place)
      case 'call':
        return this.#callValue(term, place)
      case 'array':
      case 'set':
        return fold({
          kind: term.kind,
          items: term.items.map((item) => this.term(item, place)),
        })
      case 'object':
        return fold({
          kind: 'object',
          items: term.items.map(
            ([key, value]) => [this.term(key, place), this.term(value, place)] as const,
          ),
        })
      case 'comprehension':
        return this.#comprehension(term, place)
      case 'template':
        return this.#template(term, place)
      default:
        return unreachable(term)
    }
  }

  #refValue(term: RefTerm | VarTerm, place: Place): Operand {
    const out = this.names.temporary(place.scope, term.at)
    place.steps.push({ kind: 'ref', ...this.#ref(term, place), out, at: term.at })
    return out
  }

  #callValue(term: CallTerm, place: Place): Operand {
    const out = this.names.temporary(place.scope, term.at)
    place.steps.push(this.#call(term, place, out))
    return out
  }

  #comprehension(term: ComprehensionTerm, place: Place): Operand {
    const heads = term.key === undefined ? [term.head] : [term.key, term.head]
    const scope = this.names.scope('closure', place.scope, term.body, heads)
    const inner: Place = { scope, steps: [] }
    this.body(term.body, inner)
    const key = term.key === undefined ? undefined : this.term(term.key, inner)
    const head = this.term(term.head, inner)
    const out = this.names.temporary(place.scope, term.at)
    place.steps.push({
      kind: 'comprehension',
      of: term.of,
      scope,
      key,
      head,
      body: inner.steps,
      out: out.slot,
      at: term.at,
    })
    return out
  }

  #template(term: TemplateTerm, place: Place): Operand {
    const items = term.parts.map((part): Operand => {
      if (part.kind === 'text') return { kind: 'constant', value: part.text }
      return this.#alternatives(part.literal, place)
    })
    const out = this.names.temporary(place.scope, term.at)
    const callee: Callee = { kind: 'builtin', name: 'internal.template_string' }
    const args: Operand[] = [{ kind: 'array', items }]
    place.steps.push({ kind: 'call', callee, args, out, at: term.at })
    return out
  }

  /** The set of all values of an expression: empty where it is undefined. */
  #alternatives(
    literal: Pick<Literal, 'expression' | 'at'> & Partial<Literal>,
    place: Place,
  ): Operand {
    const { expression, at } = literal
    if (expression.kind !== 'term') throw compileError('expected a term here', at)
    const scope = this.names.bare('part', place.scope)
    const inner: Place = { scope, steps: [] }
    const changes = (literal.withs ?? []).map((one) => this.#change(one, inner))
    const body: Place = changes.length === 0 ? inner : { scope, steps: [] }
    const value = this.term(expression.term, body)
    if (changes.length > 0) {
      inner.steps.push({ kind: 'with', changes, body: body.steps, at })
    }
    const out = this.names.temporary(place.scope, at)
    place.steps.push({
      kind: 'comprehension',
      of: 'set',
      scope,
      key: undefined,
      head: value,
      body: inner.steps,
      out: out.slot,
      at,
    })
    return out
  }

  /** Does the term read a document, or look into a value by keys? */
  #isDocument(term: Term, scope: Scope): term is RefTerm | VarTerm {
    if (term.kind === 'ref') return true
    return term.kind === 'var' && this.names.global(term.name, scope) !== undefined
  }

  #ref(term: RefTerm | VarTerm, place: Place): { root: Root; path: readonly Operand[] } {
    const head = term.kind === 'ref' ? term.head : term
    const path =
      term.kind === 'ref' ? term.path.map((part) => this.term(part, place)) : []
    const global =
      head.kind === 'var' ? this.names.global(head.name, place.scope) : undefined
    if (global === undefined) return { root: this.term(head, place), path }
    const [root, ...rest] = global
    const prefix = rest.map((value): Operand => ({ kind: 'constant', value }))
    return { root, path: [...prefix, ...path] }
  }

  #call(
    term: CallTerm,
    place: Place,
    result: Operand | 'statement',
  ): Extract<Step, { kind: 'call' }> {
    const { at } = term
    const callee = this.#callee(term.operator, place.scope)
    const arity = this.#arity(callee)
    const args = term.args.map((arg) => this.term(arg, place))
    const wrong = arity >= 0 && args.length !== arity
    if (wrong && !(result === 'statement' && args.length === arity + 1)) {
      const name = written(term.operator)
      throw typeError(
        `function ${name} has arity ${arity}, got ${args.length} arguments`,
        at,
      )
    }
    if (result !== 'statement') return { kind: 'call', callee, args, out: result, at }
    const out = wrong ? args.pop() : undefined
    return { kind: 'call', callee, args, out, at }
  }

  /** Does the call, as a statement, give a value: not to its last argument, not to no one? */
  givesValue(term: CallTerm, scope: Scope): boolean {
    const callee = this.#findCallee(term.operator, scope)
    if (callee === undefined) return true
    const name = this.#builtinName(term, scope)
    if (name === 'print' || name === 'eq' || name === 'assign') return false
    return this.#arity(callee) === term.args.length
  }

  #arity(callee: Callee): number {
    if (callee.kind === 'function') return callee.node.arity
    return this.#context.arityOf(callee.name) ?? -1
  }

  #builtinName(term: CallTerm, scope: Scope): string | undefined {
    const { operator } = term
    const head = operator.kind === 'ref' ? operator.head : operator
    if (head.kind !== 'var' || this.names.global(head.name, scope) !== undefined)
      return undefined
    return written(operator)
  }

  #callee(operator: Term, scope: Scope): Callee {
    const found = this.#findCallee(operator, scope)
    if (found !== undefined) return found
    const name = written(operator)
    const message = this.#context.isUnsupported(name)
      ? `built-in function ${name} is not supported`
      : `undefined function ${name}`
    throw typeError(message, operator.at)
  }

  #findCallee(operator: Term, scope: Scope): Callee | undefined {
    const head = operator.kind === 'ref' ? operator.head : operator
    if (head.kind !== 'var') return undefined
    const global = this.names.global(head.name, scope)
    const name = written(operator)
    if (global !== undefined) {
      const node = global[0] === 'data' ? this.#functionAt(global, operator) : undefined
      if (node !== undefined) return { kind: 'function', node }
    }
    if (this.#context.arityOf(name) === undefined) return undefined
    return { kind: 'builtin', name }
  }

  #functionAt(global: Global, operator: Term): DocNode | undefined {
    const rest: string[] = []
    for (const part of operator.kind === 'ref' ? operator.path : []) {
      if (part.kind !== 'scalar' || typeof part.value !== 'string') return undefined
      rest.push(part.value)
    }
    const node = this.#context.tree.find([...global.slice(1), ...rest])
    return node?.kind === 'function' ? node : undefined
  }

  #change(one: With, place: Place): Change {
    const { target, value, at } = one
    const { scope } = place
    const head = target.kind === 'ref' ? target.head : target
    if (head.kind !== 'var') throw typeError('rego_type_error: bad target of with', at)
    const callee = this.#findCallee(target, scope)
    if (callee !== undefined) {
      const name =
        callee.kind === 'builtin' ? callee.name : ['data', ...callee.node.path].join('.')
      return { kind: 'function', name, by: this.#replacement(value, place) }
    }
    const global = this.names.global(head.name, scope)
    if (global === undefined) {
      throw typeError(
        `undefined function or document ${written(target)}: with keyword target must reference existing input, data, or a function`,
        at,
      )
    }
    const path: Value[] = global.slice(1)
    for (const part of target.kind === 'ref' ? target.path : []) {
      if (part.kind !== 'scalar')
        throw typeError('with keyword target must be ground', at)
      path.push(part.value)
    }
    return { kind: global[0], path, value: this.term(value, place) }
  }

  #replacement(value: Term, place: Place): Replacement {
    if (value.kind === 'var' || value.kind === 'ref') {
      const callee = this.#findCallee(value, place.scope)
      if (callee !== undefined) return { kind: 'callee', callee }
    }
    return { kind: 'value', value: this.term(value, place) }
  }
}

function compileError(message: string, at: Location): LoadError {
  return new LoadError('rego_compile_error', message, at)
}

function typeError(message: string, at: Location): LoadError {
  return new LoadError('rego_type_error', message, at)
}
