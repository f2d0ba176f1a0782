/** The words between the code of rules and the program that holds it. */
import type { Builtin } from './builtin.js'
import type { Context, Frame } from './context.js'
import type { DocNode } from './plan.js'
import type { RuleTree } from './tree.js'
import type { Value } from './value.js'

/** True to stop looking for further answers. */
export type Run = (frame: Frame) => boolean

/** What a step becomes: a test that passes at most once, or a run around what follows. */
export type Op =
  | { readonly kind: 'once'; readonly run: Run }
  | { readonly kind: 'many'; readonly around: (next: Run) => Run }

/** What the code of a rule asks of the others. */
export interface Rules {
  readonly tree: RuleTree
  builtin(name: string): Builtin | undefined
  /** Nodes at and below a path: what `with data.path` hides. */
  nodesUnder(path: readonly Value[]): DocNode[]
  /** The value of a node with complete rules or a set. */
  valueOf(context: Context, node: DocNode): Value | undefined
  callFunction(context: Context, node: DocNode, args: readonly Value[]): Value | undefined
  /** The whole document at a node; `base` is the base data there. */
  document(context: Context, node: DocNode, base: Value | undefined): Value | undefined
  /** `node[key]` of a node whose rules have variables in their heads. */
  entry(context: Context, node: DocNode, key: Value): Value | undefined
}
