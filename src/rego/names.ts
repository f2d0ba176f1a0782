/** Which names occur in a body itself, and what names mean outside of rules. */
import { unreachable } from './errors.js'
import type { Body, Expression, Literal, Module, Term } from './ast.js'

/** A name that stands for a document: `["data", "a", "b"]` or `["input", "x"]`. */
export type Global = readonly ['data' | 'input', ...string[]]

/** Imports and the rules of the module's own package. */
export function globalsOf(
  module: Module,
  ruleNames: ReadonlySet<string>,
): ReadonlyMap<string, Global> {
  const globals = new Map<string, Global>([
    ['data', ['data']],
    ['input', ['input']],
  ])
  for (const name of ruleNames) globals.set(name, ['data', ...module.package, name])
  for (const { path, alias } of module.imports) {
    const [root, ...rest] = path
    if (root !== 'data' && root !== 'input') continue
    const name = alias ?? path.at(-1)
    if (name !== undefined) globals.set(name, [root, ...rest])
  }
  return globals
}

/** Names in a body, those inside closures left out. */
export function ownNames(body: Body, terms: readonly Term[] = []): Set<string> {
  const names = new Set<string>()
  for (const term of terms) addTerm(names, term)
  for (const literal of body) addLiteral(names, literal)
  return names
}

/**
 * Names that a body declares by `:=` or `some`, those of its closures left out. They stand for
 * nothing else anywhere in it: neither for a rule, nor for the name that a closure before the
 * declaration speaks of.
 */
export function declaredNames(body: Body): Set<string> {
  const names = new Set<string>()
  for (const { expression } of body) {
    if (expression.kind === 'some')
      for (const { name } of expression.names) names.add(name)
    for (const term of patternsOf(expression)) addPattern(names, term)
  }
  return names
}

/** What an expression assigns to, or finds members by. */
function patternsOf(expression: Expression): readonly Term[] {
  if (expression.kind === 'assign') return [expression.left]
  if (expression.kind === 'some-in') {
    const { key, value } = expression
    return key === undefined ? [value] : [key, value]
  }
  if (expression.kind !== 'term' || expression.term.kind !== 'call') return []
  const { operator, args } = expression.term
  const [left] = args
  const assigns = written(operator) === 'assign' && args.length === 2
  return assigns && left !== undefined ? [left] : []
}

/** As `Names.declareAll` and `declareIn` declare them. */
function addPattern(names: Set<string>, term: Term): void {
  if (term.kind === 'var' && term.name !== '_') names.add(term.name)
  else if (term.kind === 'array') for (const item of term.items) addPattern(names, item)
  else if (term.kind === 'object') {
    for (const [, value] of term.items) addPattern(names, value)
  }
}

function addLiteral(names: Set<string>, literal: Literal): void {
  addExpression(names, literal.expression)
  for (const { value } of literal.withs) addTerm(names, value)
}

function addExpression(names: Set<string>, expression: Expression): void {
  switch (expression.kind) {
    case 'term':
      addTerm(names, expression.term)
      return
    case 'unify':
    case 'assign':
      addTerm(names, expression.left)
      addTerm(names, expression.right)
      return
    case 'some':
      for (const { name } of expression.names) names.add(name)
      return
    case 'some-in':
      if (expression.key !== undefined) addTerm(names, expression.key)
      addTerm(names, expression.value)
      addTerm(names, expression.collection)
      return
    case 'every':
      addTerm(names, expression.domain)
      return
    default:
      unreachable(expression)
  }
}

function addTerm(names: Set<string>, term: Term): void {
  switch (term.kind) {
    case 'var':
      names.add(term.name)
      return
    case 'ref':
      addTerm(names, term.head)
      for (const part of term.path) addTerm(names, part)
      return
    case 'call':
      for (const arg of term.args) addTerm(names, arg)
      return
    case 'array':
    case 'set':
      for (const item of term.items) addTerm(names, item)
      return
    case 'object':
      for (const [key, value] of term.items) {
        addTerm(names, key)
        addTerm(names, value)
      }
      return
    case 'scalar':
    case 'comprehension':
    case 'template':
      return
    default:
      unreachable(term)
  }
}

/** A function's name as the author wrote it. */
export function written(operator: Term): string {
  if (operator.kind === 'var') return operator.name
  if (operator.kind !== 'ref' || operator.head.kind !== 'var') return '?'
  const parts = operator.path.map((part) =>
    part.kind === 'scalar' && typeof part.value === 'string' ? part.value : '?',
  )
  return [operator.head.name, ...parts].join('.')
}
