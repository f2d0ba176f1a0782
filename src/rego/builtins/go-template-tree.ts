/**
 * Go's text/template, read: actions between `{{` and `}}`, with pipelines, variables, `if`,
 * `range` and `with`. Templates that define or call others are refused.
 * https://pkg.go.dev/text/template
 */
import { refuse, refuseWork } from './define.js'
import { pieces, words } from './go-template-words.js'
import type { Piece } from './go-template-words.js'

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'range' | 'with'
      readonly pipe: Pipe
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }
  | { readonly kind: 'break' | 'continue' }

export type Pipe = {
  /** Variables that get the result: `$x :=`, `$i, $x :=`, `$x =`. */
  readonly variables: readonly string[]
  readonly declares: boolean
  readonly commands: readonly (readonly Operand[])[]
}

/** What a command is made of; `path` are the fields behind it. */
export type Operand = { readonly path: readonly string[] } & (
  | { readonly kind: 'dot' | 'nil' }
  | { readonly kind: 'variable' | 'function'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }
)

/** Blocks and parentheses inside each other. */
const maxDepth = 100

export function parseTemplate(text: string): readonly Node[] {
  const parser = new Parser(pieces(text))
  return parser.template()
}

class Parser {
  readonly #pieces: readonly Piece[]
  #at = 0

  constructor(found: readonly Piece[]) {
    this.#pieces = found
  }

  template(): readonly Node[] {
    const { nodes, end } = this.#block(0)
    if (end !== '') refuse(`template: template:1: unexpected {{${end}}}`)
    return nodes
  }

  /** Nodes up to `end` or `else`, and that word; '' at the end of the template. */
  #block(depth: number): { nodes: Node[]; end: string } {
    if (depth > maxDepth) refuse('template: template:1: nested too deeply')
    const nodes: Node[] = []
    for (;;) {
      const piece = this.#pieces[this.#at++]
      if (piece === undefined) return { nodes, end: '' }
      if (piece.kind === 'text') {
        nodes.push({ kind: 'text', text: piece.text })
        continue
      }
      if (piece.text.startsWith('/*')) continue
      const keyword = /^[a-z]+/.exec(piece.text)?.[0] ?? ''
      if (keyword === 'end' || keyword === 'else') return { nodes, end: piece.text }
      nodes.push(this.#action(piece.text, keyword, depth))
    }
  }

  #action(text: string, keyword: string, depth: number): Node {
    switch (keyword) {
      case 'if':
      case 'range':
      case 'with':
        return this.#control(keyword, text.slice(keyword.length), depth)
      case 'break':
      case 'continue':
        return { kind: keyword }
      case 'define':
      case 'template':
      case 'block':
        return refuseWork(`template: template:1: {{${keyword}}} is not supported`)
      default:
        return { kind: 'print', pipe: parsePipe(text) }
    }
  }

  #control(kind: 'if' | 'range' | 'with', text: string, depth: number): Node {
    const pipe = parsePipe(text)
    const body = this.#block(depth + 1)
    let otherwise: readonly Node[] = []
    if (body.end.startsWith('else')) {
      const rest = body.end.slice(4).trim()
      const next = /^(if|with)\b/.exec(rest)?.[1] as 'if' | 'with' | undefined
      if (next !== undefined) {
        otherwise = [this.#control(next, rest.slice(next.length), depth + 1)]
        return { kind, pipe, body: body.nodes, otherwise }
      }
      const second = this.#block(depth + 1)
      otherwise = second.nodes
      if (second.end !== 'end') refuse('template: template:1: unexpected EOF')
    } else if (body.end !== 'end') {
      refuse('template: template:1: unexpected EOF')
    }
    return { kind, pipe, body: body.nodes, otherwise }
  }
}

function parsePipe(text: string): Pipe {
  const reader = new PipeReader(words(text.trim()))
  const pipe = reader.pipe(0)
  reader.end()
  return pipe
}

class PipeReader {
  readonly #words: readonly string[]
  #at = 0

  constructor(found: readonly string[]) {
    this.#words = found
  }

  pipe(depth: number): Pipe {
    if (depth > maxDepth) refuse('template: template:1: nested too deeply')
    const { variables, declares } = this.#variables()
    const commands: (readonly Operand[])[] = []
    do {
      commands.push(this.#command(depth))
    } while (this.#take('|'))
    return { variables, declares, commands }
  }

  end(): void {
    this.#blank()
    const left = this.#words[this.#at]
    if (left !== undefined) refuse(`template: template:1: unexpected ${left} in command`)
  }

  #blank(): void {
    while (this.#words[this.#at] === ' ') this.#at++
  }

  #take(word: string): boolean {
    this.#blank()
    if (this.#words[this.#at] !== word) return false
    this.#at++
    return true
  }

  #variables(): { variables: string[]; declares: boolean } {
    const start = this.#at
    const variables: string[] = []
    for (;;) {
      this.#blank()
      const name = this.#words[this.#at]
      if (name?.startsWith('$') !== true) break
      this.#at++
      variables.push(name)
      if (this.#take(':=')) return { variables, declares: true }
      if (this.#take('=')) return { variables, declares: false }
      if (!this.#take(',')) break
    }
    this.#at = start
    return { variables: [], declares: false }
  }

  #command(depth: number): readonly Operand[] {
    const operands: Operand[] = []
    for (;;) {
      this.#blank()
      const word = this.#words[this.#at]
      if (word === undefined || word === '|' || word === ')') break
      operands.push(this.#operand(depth))
    }
    if (operands.length === 0) refuse('template: template:1: missing value for command')
    return operands
  }

  #operand(depth: number): Operand {
    const word = this.#words[this.#at++] ?? ''
    if (word === '(') {
      const pipe = this.pipe(depth + 1)
      if (!this.#take(')')) refuse('template: template:1: unclosed left paren')
      return { kind: 'pipe', pipe, path: this.#path() }
    }
    if (word === '.') return { kind: 'dot', path: [] }
    if (word.startsWith('.'))
      return { kind: 'dot', path: [word.slice(1), ...this.#path()] }
    if (word.startsWith('$')) return { kind: 'variable', name: word, path: this.#path() }
    if (word === 'nil') return { kind: 'nil', path: [] }
    const value = literal(word)
    if (value !== undefined) return { kind: 'literal', value, path: [] }
    if (/^[A-Za-z_]/.test(word)) return { kind: 'function', name: word, path: [] }
    return refuse(`template: template:1: unexpected ${word} in operand`)
  }

  #path(): string[] {
    const path: string[] = []
    for (;;) {
      const word = this.#words[this.#at]
      if (word === undefined || word === '.' || !word.startsWith('.')) return path
      path.push(word.slice(1))
      this.#at++
    }
  }
}

function literal(word: string): string | number | boolean | undefined {
  if (word === 'true') return true
  if (word === 'false') return false
  if (word.startsWith('`')) return word.slice(1, -1)
  if (word.startsWith('"')) return unquote(word)
  if (word.startsWith("'")) return unquote(`"${word.slice(1, -1)}"`).codePointAt(0) ?? 0
  if (!/^[+-]?[0-9]/.test(word)) return undefined
  const number = Number(word.replaceAll('_', ''))
  return Number.isNaN(number)
    ? refuse(`template: template:1: bad number: ${word}`)
    : number
}

function unquote(word: string): string {
  try {
    return JSON.parse(word) as string
  } catch {
    return refuse(`template: template:1: invalid syntax: ${word}`)
  }
}
