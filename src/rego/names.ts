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
