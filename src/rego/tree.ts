/**
 * Where every rule hangs: one node for each constant path below `data` that packages and rule
 * heads name. Checks that rules do not contradict one another.
 */
import { LoadError } from './errors.js'
import type { RegoError } from './errors.js'
import type { Location } from './ast.js'
import { DocNode } from './plan.js'
import type { DocKind } from './plan.js'

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
  checkOverlaps(): RegoError[] {
    const errors: RegoError[] = []
    const visit = (node: DocNode): void => {
      const inner = node.kind === 'none' || node.kind === 'object' ? undefined : node
      for (const child of node.children.values()) {
        if (inner !== undefined) {
          errors.push(overlap(inner, firstRule(child)))
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

function overlap(outer: DocNode, inner: DocNode): RegoError {
  const plan = outer.rules[0] ?? outer.defaultRule
  return {
    file: plan?.file ?? '',
    line: plan?.at.line ?? 1,
    column: plan?.at.column ?? 1,
    code: 'rego_type_error',
    message: `rule ${outer.name} conflicts with ${inner.name}`,
  }
}

function typeError(message: string, at: Location): LoadError {
  return new LoadError('rego_type_error', message, at)
}
