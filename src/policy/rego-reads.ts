/**
 * What a policy looks at, read off its syntax tree: the paths below `input`, the packages
 * below `data`, and functions that answer differently each time. A path that is worked out
 * when the policy runs counts as everything below the part that is known.
 */
import type { Module } from '@yori/rego'

export interface Reads {
  /** `prompt`, `device.mac`; the empty path is the whole document. */
  readonly input: ReadonlySet<string>
  /** Packages, such as `yori.lib.people`. */
  readonly packages: ReadonlySet<string>
  /** It asks the clock, chance or the surroundings. */
  readonly unsteady: boolean
}

const UNSTEADY: ReadonlySet<string> = new Set([
  'time.now_ns',
  'rand.intn',
  'uuid.rfc4122',
  'opa.runtime',
])

/** Paths that stand in places that only a reader of the provider's shape knows. */
const STRUCTURE: readonly string[] = [
  'request.body',
  'request.body_state',
  'request.tools',
  'request.models',
  'mcp',
  'calls',
  'prompt',
  'prompt_end',
  'prompt_chars',
  'model',
]

/** Paths that can be known only from the body of a request. */
const CONTENT: readonly string[] = [
  ...STRUCTURE,
  ...['text', 'said', 'said_chars', 'findings', 'event.tool_input'],
]

/** Of one module alone. */
export function readsOf(module: Module): Reads {
  const input = new Set<string>()
  const packages = new Set<string>()
  const aliases = new Map<string, readonly string[]>()
  let unsteady = false
  const note = ([root, ...path]: readonly string[]): void => {
    if (root === 'input') input.add(path.join('.'))
    if (root === 'data') packages.add(path.join('.'))
    if (root !== 'input' && root !== 'data') {
      unsteady ||= UNSTEADY.has([root, ...path].join('.'))
    }
  }
  for (const { path, alias } of module.imports) {
    const name = alias ?? path.at(-1)
    if (name !== undefined && path[0] !== 'rego') aliases.set(name, path)
  }
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item)
      return
    }
    if (typeof value !== 'object' || value === null) return
    const path = pathOf(value)
    if (path !== undefined) {
      const [head = '', ...rest] = path
      note([...(aliases.get(head) ?? [head]), ...rest])
    }
    // The head of a reference was read with its path; what works out a step was not.
    if ('kind' in value && value.kind === 'ref' && path !== undefined) {
      visit((value as { path?: unknown }).path)
      return
    }
    for (const inner of Object.values(value)) visit(inner)
  }
  for (const { head, body, elses } of module.rules) {
    visit([head.args, head.path, head.member, head.value, body, elses])
  }
  return { input: shortest(input), packages, unsteady }
}

/** Of a policy with the modules that it calls, and those that they call. */
export function allReads(own: Module, others: readonly Module[]): Reads {
  const known = new Map<string, Reads>()
  const left = [readsOf(own)]
  const input = new Set<string>()
  const packages = new Set<string>()
  let unsteady = false
  for (let reads = left.pop(); reads !== undefined; reads = left.pop()) {
    for (const path of reads.input) input.add(path)
    unsteady ||= reads.unsteady
    for (const path of reads.packages) {
      packages.add(path)
      for (const module of others) {
        const name = module.package.join('.')
        if (known.has(name) || !touches(path, name)) continue
        const inner = readsOf(module)
        known.set(name, inner)
        left.push(inner)
      }
    }
  }
  return { input: shortest(input), packages, unsteady }
}

/** Does it look at `path`, at something below it, or at something that holds it? */
export function looksAt({ input }: Reads, path: string): boolean {
  for (const read of input) if (touches(read, path)) return true
  return false
}

export function readsContentOf(reads: Reads): boolean {
  return CONTENT.some((path) => looksAt(reads, path))
}

/** Tools that are called. */
export function judgesCallsOf(reads: Reads): boolean {
  return looksAt(reads, 'mcp') || looksAt(reads, 'calls')
}

export function readsStructureOf(reads: Reads): boolean {
  return STRUCTURE.some((path) => looksAt(reads, path))
}

/** What is known of a connection by the name that it asks for, before any request. */
const BY_NAME: readonly string[] = ['device', 'endpoint', 'context', 'counters']
/** Known, too: what would be asked over it is taken for a call. */
const BY_NAME_ALONE: readonly string[] = ['request.call']
/** Below these, and not before a request. */
const BY_REQUEST: readonly string[] = ['device.user_agent']

/** Is all that it looks at known without a request? Then it can decide by name. */
export function judgesByNameOf(reads: Reads): boolean {
  return [...reads.input].every(
    (path) =>
      BY_NAME_ALONE.includes(path) ||
      (BY_NAME.some((root) => path === root || path.startsWith(`${root}.`)) &&
        !BY_REQUEST.includes(path)),
  )
}

/**
 * Can it decide by name, and does what passes unread keep nothing from it? An allowance is never
 * used up by what nobody counts.
 */
export function judgesUnseenOf(reads: Reads): boolean {
  return judgesByNameOf(reads) && !looksAt(reads, 'counters')
}

function touches(a: string, b: string): boolean {
  return a === '' || a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}

/** Of a reference, its names up to the first that is not written out. */
function pathOf(node: object): string[] | undefined {
  if (!('kind' in node)) return undefined
  if (node.kind === 'var' && 'name' in node) return [String(node.name)]
  if (node.kind !== 'ref' || !('head' in node) || !('path' in node)) return undefined
  const head = pathOf(node.head as object)
  if (head === undefined) return undefined
  const path = [...head]
  for (const step of node.path as readonly { kind: string; value?: unknown }[]) {
    if (step.kind !== 'scalar' || typeof step.value !== 'string') break
    path.push(step.value)
  }
  return path
}

/** Without paths that lie below another: who reads `device` reads `device.mac`. */
function shortest(paths: ReadonlySet<string>): ReadonlySet<string> {
  const all = [...paths]
  return new Set(
    all.filter((path) => !all.some((other) => other !== path && isBelow(path, other))),
  )
}

function isBelow(path: string, other: string): boolean {
  return other === '' || path.startsWith(`${other}.`)
}
