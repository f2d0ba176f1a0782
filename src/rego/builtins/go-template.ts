/** Go's text/template, rendered over Rego values. */
import type { BuiltinContext } from '../builtin.js'
import { RegoObject } from '../value.js'
import type { Value } from '../value.js'
import { objectAt, refuse, stringAt } from './define.js'
import { dataOf, holds, membersOf, shown } from './go-template-data.js'
import type { Data } from './go-template-data.js'
import { templateFunctions } from './go-template-functions.js'
import { parseTemplate } from './go-template-tree.js'
import type { Node, Operand, Pipe } from './go-template-tree.js'
import { spendText } from './spend.js'

type Scope = { readonly variables: Map<string, Data>; readonly outer: Scope | undefined }

type Flow = 'on' | 'break' | 'continue'

export function renderTemplate(args: readonly Value[], context: BuiltinContext): Value {
  const text = stringAt(args, 0)
  spendText(context, text.length)
  const renderer = new Renderer(objectAt(args, 1), context)
  return renderer.render(parseTemplate(text))
}

class Renderer {
  readonly #context: BuiltinContext
  readonly #root: RegoObject
  #out = ''

  constructor(root: RegoObject, context: BuiltinContext) {
    this.#root = root
    this.#context = context
  }

  render(nodes: readonly Node[]): string {
    const scope = {
      variables: new Map<string, Data>([['$', this.#root]]),
      outer: undefined,
    }
    this.#nodes(nodes, this.#root, scope)
    return this.#out
  }

  #write(text: string): void {
    spendText(this.#context, text.length)
    this.#out += text
  }

  #nodes(nodes: readonly Node[], dot: Data, scope: Scope): Flow {
    for (const node of nodes) {
      this.#context.step(1)
      const flow = this.#node(node, dot, scope)
      if (flow !== 'on') return flow
    }
    return 'on'
  }

  #node(node: Node, dot: Data, scope: Scope): Flow {
    switch (node.kind) {
      case 'text':
        this.#write(node.text)
        return 'on'
      case 'print': {
        const value = this.#pipe(node.pipe, dot, scope)
        if (node.pipe.variables.length === 0) this.#write(shown(value))
        return 'on'
      }
      case 'break':
      case 'continue':
        return node.kind
      case 'range':
        return this.#range(node, dot, scope)
      case 'if':
      case 'with': {
        const inner: Scope = { variables: new Map(), outer: scope }
        const value = this.#pipe(node.pipe, dot, inner)
        if (!holds(value)) return this.#nodes(node.otherwise, dot, inner)
        return this.#nodes(node.body, node.kind === 'with' ? value : dot, inner)
      }
    }
  }

  #range(node: Extract<Node, { body: unknown }>, dot: Data, scope: Scope): Flow {
    const { variables } = node.pipe
    const whole = this.#pipe({ ...node.pipe, variables: [] }, dot, scope)
    const members = membersOf(whole)
    if (members.length === 0) return this.#nodes(node.otherwise, dot, scope)
    for (const [key, member] of members) {
      const inner: Scope = { variables: new Map(), outer: scope }
      const values = variables.length === 1 ? [member] : [key, member]
      for (const [index, name] of variables.entries()) {
        if (node.pipe.declares) inner.variables.set(name, values[index])
        else assign(inner, name, values[index])
      }
      if (this.#nodes(node.body, member, inner) === 'break') break
    }
    return 'on'
  }

  #pipe(pipe: Pipe, dot: Data, scope: Scope): Data {
    let value: Data
    for (const [index, command] of pipe.commands.entries())
      value = this.#command(command, index === 0 ? [] : [value], { dot, scope })
    for (const name of pipe.variables) {
      if (pipe.declares) scope.variables.set(name, value)
      else assign(scope, name, value)
    }
    return value
  }

  #command(
    [first, ...rest]: readonly Operand[],
    piped: readonly Data[],
    around: { dot: Data; scope: Scope },
  ): Data {
    if (first === undefined) return undefined
    if (first.kind === 'function') return this.#call(first.name, rest, piped, around)
    if (rest.length > 0 || piped.length > 0)
      refuse("template: template:1: can't give argument to non-function")
    return this.#operand(first, around)
  }

  #call(
    name: string,
    operands: readonly Operand[],
    piped: readonly Data[],
    around: { dot: Data; scope: Scope },
  ): Data {
    this.#context.step(1)
    const values = [
      ...operands.map((operand) => this.#operand(operand, around)),
      ...piped,
    ]
    const work = templateFunctions.get(name)
    if (work === undefined)
      refuse(`template: template:1: function ${JSON.stringify(name)} not defined`)
    return work(values, (length) => spendText(this.#context, length))
  }

  #operand(operand: Operand, around: { dot: Data; scope: Scope }): Data {
    switch (operand.kind) {
      case 'dot':
        return fieldsOf(around.dot, operand.path)
      case 'nil':
        return null
      case 'literal':
        return operand.value
      case 'variable':
        return fieldsOf(lookUp(around.scope, operand.name), operand.path)
      case 'function':
        return this.#call(operand.name, [], [], around)
      case 'pipe':
        return fieldsOf(this.#pipe(operand.pipe, around.dot, around.scope), operand.path)
    }
  }
}

function lookUp(scope: Scope, name: string): Data {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer)
    if (at.variables.has(name)) return at.variables.get(name)
  return refuse(`template: template:1: undefined variable ${JSON.stringify(name)}`)
}

function assign(scope: Scope, name: string, value: Data): void {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    if (!at.variables.has(name)) continue
    at.variables.set(name, value)
    return
  }
  refuse(`template: template:1: undefined variable ${JSON.stringify(name)}`)
}

function fieldsOf(start: Data, path: readonly string[]): Data {
  let value = start
  for (const name of path) {
    if (value === undefined || value === null)
      refuse(`template: template:1: nil pointer evaluating interface {}.${name}`)
    if (!(value instanceof RegoObject))
      refuse(`template: template:1: can't evaluate field ${name}`)
    value = dataOf(value.get(name))
  }
  return value
}
