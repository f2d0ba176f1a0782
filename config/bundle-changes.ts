/**
 * What a bundle changes in a configuration, key by key. What it does not name stays as it is;
 * nobody whom a policy held for is let off: lists of groups grow, what blocked everyone goes on
 * doing so, and what blocks does not come down to a note. Pure.
 */
import type { Bundle } from './bundles.js'
import { isObject } from './defaults.js'
import type { Config } from './schema.js'

export interface BundleChange {
  /** Dotted, such as `policies.files.bedtime.params.start_hour`. */
  readonly key: string
  /** Undefined: nothing was said. */
  readonly from: unknown
  readonly to: unknown
}

/** Keys that differ, in the order of the bundle. None: it is in force. */
export function bundleChanges(bundle: Bundle, config: Config): readonly BundleChange[] {
  const { files } = config.policies
  // One that was switched off is meant to speak now.
  const silent = Object.keys(bundle.policies)
    .filter((name) => files[name]?.enabled === false)
    .map((name): Wish => [['policies', 'files', name, 'enabled'], true])
  const wanted = wishes(bundle).filter(([path]) => !isStricter(config, bundle, path))
  return [...wanted, ...silent].flatMap(([path, wish]): BundleChange[] => {
    const from = valueAt(config, path)
    const to = grown(config, path, from, wish)
    const key = path.join('.')
    return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ key, from, to }]
  })
}

/** What blocks here, and is only noted by the bundle, is left as it is altogether. */
function isStricter(config: Config, bundle: Bundle, path: Path): boolean {
  if (path[0] !== 'policies' || path[1] !== 'files') return false
  const here = config.policies.files[path[2] ?? '']
  const isBlocking = here?.enabled === true && here.action === 'block'
  return isBlocking && actionIn(bundle, path[2] ?? '') !== 'block'
}

function grown(config: Config, path: Path, from: unknown, wish: unknown): unknown {
  const [, , policy = '', , param] = path
  if (param !== 'groups' && param !== 'minor_groups') return wish
  if (Array.isArray(from) && from.length > 0 && Array.isArray(wish))
    return [...new Set<unknown>([...(from as unknown[]), ...(wish as unknown[])])]
  const its = config.policies.files[policy]
  const blockedAll = param === 'groups' && its?.enabled === true && its.action === 'block'
  return blockedAll ? from : wish
}

/** It may block: then consent is asked for. */
export function blocks({ sets }: Bundle): boolean {
  return sets['mode'] === 'enforce'
}

/**
 * Policies of the configuration, none that the bundle makes block, that were to block and could
 * not until now: they will.
 */
export function wakened(bundle: Bundle, config: Config): readonly string[] {
  const { mode, enforcement, policies } = config
  if (!blocks(bundle) || (mode === 'enforce' && enforcement.enabled)) return []
  return Object.entries(policies.files)
    .filter(([name]) => actionIn(bundle, name) !== 'block')
    .filter(([, { enabled, action }]) => enabled && action === 'block')
    .map(([name]) => name)
}

/** `alert` or `block`, as the bundle sets it; undefined: it does not name that policy. */
export function actionIn({ sets }: Bundle, policy: string): unknown {
  return valueAt(sets, ['policies', 'files', policy, 'action'])
}

type Path = readonly string[]
type Wish = readonly [path: Path, value: unknown]

function wishes({ sets }: Bundle): readonly Wish[] {
  const all = leaves(sets, [])
  return sets['mode'] === 'enforce'
    ? [[['enforcement', 'consent_accepted'], true], ...all]
    : all
}

function leaves(value: unknown, path: readonly string[]): readonly Wish[] {
  if (!isObject(value)) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
}

function valueAt(root: unknown, path: Path): unknown {
  let value: unknown = root
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
