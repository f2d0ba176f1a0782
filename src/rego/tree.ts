/**
 * Where every rule hangs: one node for each constant path below `data` that packages and rule
 * heads name. Checks that rules do not contradict one another.
 */
import { LoadError } from './errors.js'
import type { Location } from './ast.js'
import type { RulePlan } from './plan.js'

/** What the rules at one path make of it. */
export type DocKind = 'none' | 'complete' | 'function' | 'set' | 'object'

export class DocNode {
  readonly id: number
  readonly path: readonly string[]
  readonly children = new Map<string, DocNode>()
  kind: DocKind = 'none'
  isPackage = false
  arity = 0
  readonly rules: RulePlan[] = []
  defaultRule: RulePlan | undefined

  constructor(id: number, path: readonly string[]) {
    this.id = id
    this.path = path
  }

  get name(): string {
    return ['data', ...this.path].join('.')
  }
}

export interface HeadShape {
  readonly kind: Exclude<DocKind, 'none'>
  readonly arity: number
  readonly isDefault: boolean
  readonly at: Location
}

export class RuleTree {
  readonly root = new DocNode(0, [])
  #count = 1

  get size(): number {
    return this.#count
  }

  /** The node at `path`, made when missing. */
  make(path: readonly string[]): DocNode {
    let node = this.root
    for (const [index, name] of path.entries()) {
      let child = node.children.get(name)
      if (child === undefined) {
        child = new DocNode(this.#count++, path.slice(0, index + 1))
        node.children.set(name, child)
      }
      node = child
    }
    return node
  }

  find(path: readonly string[]): DocNode | undefined {
    let node: DocNode | undefined = this.root
    for (const name of path) node = node?.children.get(name)
    return node
  }

  /** Notes that a rule of this shape stands at `path`. Throws LoadError for a contradiction. */
  declare(path: readonly string[], shape: HeadShape): DocNode {
    const node = this.make(path)
    if (node.isPackage) {
      throw typeError(`package ${node.name} conflicts with rule ${node.name}`, shape.at)
    }
    if (node.kind === 'none') {
      node.kind = shape.kind
      node.arity = shape.arity
    } else if (node.kind !== shape.kind || node.arity !== shape.arity) {
      throw typeError(`conflicting rules ${node.name} found`, shape.at)
    }
    return node
  }

  /** A rule above or below another that has no room for it. */
  checkOverlaps(): LoadError[] {
    const errors: LoadError[] = []
    const visit = (node: DocNode): void => {
      const inner = node.kind === 'none' || node.kind === 'object' ? undefined : node
      for (const child of node.children.values()) {
        if (inner !== undefined) {
          errors.push(
            typeError(
              `rule ${inner.name} conflicts with ${firstRule(child).name}`,
              place(inner),
            ),
          )
        }
        visit(child)
      }
    }
    visit(this.root)
    return errors
  }
}

function firstRule(node: DocNode): DocNode {
  if (node.kind !== 'none') return node
  for (const child of node.children.values()) return firstRule(child)
  return node
}

function place(node: DocNode): Location {
  return (node.rules[0] ?? node.defaultRule)?.at ?? { line: 1, column: 1 }
}

function typeError(message: string, at: Location): LoadError {
  return new LoadError('rego_type_error', message, at)
}
