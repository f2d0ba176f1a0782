/**
 * Go's text/template, rendered over Rego values. Numbers of the data are text, as in Go, where
 * they are json.Number; what is missing prints as `<undefined>`.
 */
import type { BuiltinContext } from '../builtin.js'
import {
  RegoObject,
  RegoSet,
  compareStrings,
  isArray,
  isRegoNumber,
  numberToText,
} from '../value.js'
import type { Value } from '../value.js'
import { objectAt, refuse, stringAt } from './define.js'
import { queryEscape } from './encoding.js'
import type { GoValue } from './go-format-spec.js'
import { sprintf } from './go-format.js'
import { parseTemplate } from './go-template-tree.js'
import type { Node, Operand, Pipe } from './go-template-tree.js'
import { spendText } from './spend.js'

/** A value of the data, or a literal; JavaScript numbers are literals only. */
type Data = Value | undefined

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
    const work = functions.get(name)
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

/** Numbers become their text. */
function dataOf(value: Data): Data {
  return value !== undefined && isRegoNumber(value) ? numberToText(value) : value
}

function membersOf(value: Data): readonly (readonly [Data, Data])[] {
  if (value === undefined || value === null) return []
  const list = value instanceof RegoSet ? value.values() : value
  if (isArray(list)) return list.map((member, index) => [index, dataOf(member)])
  if (value instanceof RegoObject)
    return [...value.entries()].map(([key, member]) => [dataOf(key), dataOf(member)])
  if (typeof value === 'number')
    return refuse('template: template:1: range over a number is not supported')
  return refuse(`template: template:1: range can't iterate over ${shown(value)}`)
}

function holds(value: Data): boolean {
  if (value === undefined || value === null || value === false) return false
  if (value === '' || value === 0) return false
  if (value instanceof RegoObject || value instanceof RegoSet) return value.size > 0
  return !isArray(value) || value.length > 0
}

/** As Go's `%v`. */
function shown(value: Data): string {
  if (value === undefined || value === null) return '<undefined>'
  if (typeof value === 'string') return value
  if (isRegoNumber(value))
    return typeof value === 'number'
      ? sprintf('%v', [goValue(value)])
      : numberToText(value)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof RegoObject) {
    const members = [...value.entries()].map(
      ([key, member]) => `${shown(dataOf(key))}:${shown(dataOf(member))}`,
    )
    return `map[${members.join(' ')}]`
  }
  const list = value instanceof RegoSet ? value.values() : value
  return `[${list.map((member) => shown(dataOf(member))).join(' ')}]`
}

function goValue(value: Data): GoValue {
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? { kind: 'int', value: BigInt(value) }
      : { kind: 'float', value }
  return { kind: 'string', value: shown(value) }
}

/** The first value that decides, or the last. */
function decide(values: readonly Data[], decides: (value: Data) => boolean): Data {
  const at = values.findIndex(decides)
  return at < 0 ? values.at(-1) : values[at]
}

type Work = (values: readonly Data[], spend: (length: number) => void) => Data

function first(values: readonly Data[]): Data {
  return values[0]
}

/** Numbers of the data are text here, and compare as text. */
function order(a: Data, b: Data): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return refuse('template: template:1: incompatible types for comparison')
}

function comparison(test: (order: number) => boolean): Work {
  return (values) => test(order(values[0], values[1]))
}

function length(values: readonly Data[]): Data {
  const value = first(values)
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof RegoObject || value instanceof RegoSet) return value.size
  if (value !== undefined && isArray(value)) return value.length
  return refuse(`template: template:1: error calling len: len of ${shown(value)}`)
}

function index([start, ...keys]: readonly Data[]): Data {
  let value = start
  for (const key of keys) {
    if (value instanceof RegoObject && typeof key === 'string')
      value = dataOf(value.get(key))
    else if (value !== undefined && isArray(value) && typeof key === 'number') {
      if (key < 0 || key >= value.length)
        refuse(`template: template:1: error calling index: index out of range: ${key}`)
      value = dataOf(value[key])
    } else
      refuse(`template: template:1: error calling index: can't index ${shown(value)}`)
  }
  return value
}

/** Spaces stand between operands when neither is a string. */
function print(values: readonly Data[]): string {
  return values.reduce<string>((text, value, at) => {
    const before = values[at - 1]
    const space = at > 0 && typeof before !== 'string' && typeof value !== 'string'
    return text + (space ? ' ' : '') + shown(value)
  }, '')
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

const functions: ReadonlyMap<string, Work> = new Map<string, Work>([
  ['and', (values) => decide(values, (value) => !holds(value))],
  ['or', (values) => decide(values, holds)],
  ['not', (values) => !holds(first(values))],
  ['eq', ([a, ...others]) => others.some((other) => order(a, other) === 0)],
  ['ne', comparison((by) => by !== 0)],
  ['lt', comparison((by) => by < 0)],
  ['le', comparison((by) => by <= 0)],
  ['gt', comparison((by) => by > 0)],
  ['ge', comparison((by) => by >= 0)],
  ['len', length],
  ['index', index],
  ['print', print],
  ['println', (values) => values.map(shown).join(' ') + '\n'],
  [
    'printf',
    ([format, ...values], spend) =>
      typeof format === 'string'
        ? sprintf(format, values.map(goValue), spend)
        : refuse('template: template:1: wrong type for printf'),
  ],
  [
    'html',
    (values) => print(values).replace(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char),
  ],
  ['urlquery', (values) => queryEscape(print(values))],
])
