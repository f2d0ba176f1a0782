/**
 * Refuses rules that can reach themselves. A reference reaches each rule whose head could be
 * at its path; a key that is not constant could be any.
 */
import { calleeName } from './plan.js'
import { equal } from './value.js'
import type { RegoError } from './errors.js'
import type { Operand, RulePlan, Step } from './plan.js'
import type { DocNode } from './plan.js'
import type { RuleTree } from './tree.js'

interface Vertex {
  readonly plan: RulePlan
  readonly node: DocNode
  state: 'new' | 'open' | 'done'
}

export function checkRecursion(tree: RuleTree): RegoError[] {
  const vertices = new Map<DocNode, Vertex[]>()
  const all: Vertex[] = []
  const visit = (node: DocNode): void => {
    const plans =
      node.defaultRule === undefined ? node.rules : [...node.rules, node.defaultRule]
    const own = plans.map((plan): Vertex => ({ plan, node, state: 'new' }))
    vertices.set(node, own)
    all.push(...own)
    for (const child of node.children.values()) visit(child)
  }
  visit(tree.root)
  const errors: RegoError[] = []
  const path: Vertex[] = []
  const walk = (vertex: Vertex): void => {
    if (vertex.state === 'done' || errors.length > 0) return
    if (vertex.state === 'open') {
      const loop = path.slice(path.indexOf(vertex))
      errors.push(recursionError([...loop, vertex]))
      return
    }
    vertex.state = 'open'
    path.push(vertex)
    for (const next of reached(vertex.plan, tree, vertices)) walk(next)
    path.pop()
    vertex.state = 'done'
  }
  for (const vertex of all) walk(vertex)
  return errors
}

function recursionError(loop: readonly Vertex[]): RegoError {
  const [first] = loop
  const names = loop.map(({ node }) => node.name)
  const at = first?.plan.at ?? { line: 1, column: 1 }
  return {
    file: first?.plan.file ?? '',
    line: at.line,
    column: at.column,
    code: 'rego_recursion_error',
    message: `rule ${names[0] ?? ''} is recursive: ${names.join(' -> ')}`,
  }
}

function reached(
  plan: RulePlan,
  tree: RuleTree,
  vertices: ReadonlyMap<DocNode, readonly Vertex[]>,
): Set<Vertex> {
  const found = new Set<Vertex>()
  const add = (node: DocNode): void => {
    for (const vertex of vertices.get(node) ?? []) found.add(vertex)
  }
  const reference = (node: DocNode, path: readonly Operand[]): void => {
    const [key, ...rest] = path
    if (node.kind === 'complete' || node.kind === 'set') {
      add(node)
      return
    }
    if (node.kind === 'object') {
      for (const vertex of vertices.get(node) ?? []) {
        if (mayMatch(vertex.plan.keys, path)) found.add(vertex)
      }
    }
    if (key?.kind === 'constant') {
      const child =
        typeof key.value === 'string' ? node.children.get(key.value) : undefined
      if (child !== undefined) reference(child, rest)
      return
    }
    for (const child of node.children.values()) {
      if (child.kind !== 'function') reference(child, rest)
    }
  }
  const steps = (list: readonly Step[]): void => {
    for (const step of list) {
      if (step.kind === 'ref' && step.root === 'data') reference(tree.root, step.path)
      if (step.kind === 'call' && step.callee.kind === 'function') add(step.callee.node)
      if (step.kind === 'with') {
        for (const change of step.changes) {
          if (change.kind !== 'function' || change.by.kind !== 'callee') continue
          const { callee } = change.by
          if (callee.kind === 'function' && calleeName(callee) !== change.name) {
            add(callee.node)
          }
        }
      }
      if ('body' in step) steps(step.body)
    }
  }
  for (const branch of plan.branches) steps(branch.steps)
  return found
}

function mayMatch(keys: readonly Operand[], path: readonly Operand[]): boolean {
  for (let i = 0; i < keys.length && i < path.length; i++) {
    const mine = keys[i] as Operand
    const theirs = path[i] as Operand
    if (mine.kind === 'constant' && theirs.kind === 'constant') {
      if (!equal(mine.value, theirs.value)) return false
    }
  }
  return true
}
