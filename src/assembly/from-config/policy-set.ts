/**
 * The policies of a configuration, read and compiled: those that it names, and all of the
 * household's own folder. Pauses between two, since compiling is work on the event loop. The
 * language itself is loaded with the first policy.
 */
import { readPolicyFolder, SHIPPED_POLICIES } from '../../../config/policy-files.js'
import type { PolicyFile, PolicyFolder } from '../../../config/policy-files.js'
import { nearest } from '../../../config/schema-suggest.js'
import type { Config } from '../../../config/schema.js'
import type { Bundle } from '../../bundle/bundle.js'
import { keptBundle } from '../../bundle/kept.js'
import type { KeptBundle } from '../../bundle/kept.js'
import type { Clock } from '../../core/clock.js'
import { YoriError } from '../../core/errors.js'
import { DEFAULT_POLICY } from '../../policy/policy.js'
import type { RegoPolicy } from '../../policy/rego-policy.js'

export interface PolicySet {
  readonly policies: readonly LoadedPolicy[]
  /** Named in the configuration, and nowhere to be found. */
  readonly unknown: readonly string[]
  /** What the last bundle is, where the configuration names a server of them. */
  readonly bundle?: KeptBundle
}

export interface LoadedPolicy {
  readonly policy: RegoPolicy
  readonly file: PolicyFile
  /** It comes with YORI. */
  readonly shipped: boolean
  /** It came with a bundle. */
  readonly bundled: boolean
  /** The same in two loads when text, shared modules and parameters are the same. */
  readonly identity: string
}

/** What a configuration says of policies. */
export type PoliciesConfig = Config['policies']

/** Some of them, of this machine alone without a `bundle`. */
type AskedPolicies = Omit<PoliciesConfig, 'bundle'> &
  Partial<Pick<PoliciesConfig, 'bundle'>>

/** Made of the lists: they have no file. */
const WITHOUT_FILE: ReadonlySet<string> = new Set(['time_rules', 'session_stop'])

export class BadPolicies extends YoriError {
  /** One a line: file, line, column, cause. */
  readonly problems: readonly string[]
  /** As in `PolicySet`. */
  readonly unknown: readonly string[]

  constructor(problems: readonly string[], unknown: readonly string[] = []) {
    super('YORI_CONFIG_INVALID', `the policies are not valid\n${problems.join('\n')}`)
    this.problems = problems
    this.unknown = unknown
  }
}

/**
 * With a `trial` as if that were the bundle that is kept.
 * @throws BadPolicies with every problem; YORI_CONFIG_INVALID for an unreadable folder
 */
export async function loadPolicySet(
  config: AskedPolicies,
  clock: Pick<Clock, 'monotonic'>,
  trial?: Bundle,
): Promise<PolicySet> {
  const bundle = await bundleOf(config, trial)
  const wanted = await wantedFiles(config, bundle)
  const about = { unknown: wanted.unknown, ...(bundle === undefined ? {} : { bundle }) }
  if (wanted.files.length === 0) return { policies: [], ...about }
  const [{ loadRegoPolicy }, { BadParams }, { describeLoadError }] = await Promise.all([
    import('../../policy/rego-policy.js'),
    import('../../policy/params.js'),
    import('@yori/rego'),
  ])
  const policies: LoadedPolicy[] = []
  const problems: string[] = []
  for (const { name, file, lib, shipped, data } of wanted.files) {
    const params = config.files[name]?.params ?? {}
    try {
      const loaded = loadRegoPolicy({
        ...{ name, source: file, lib, params, clock },
        ...(data === undefined ? {} : { data }),
      })
      if (loaded.kind === 'ok') {
        const told = [name, file.text, lib.map(textOf), params, data]
        const identity = JSON.stringify(told)
        const { policy } = loaded
        policies.push({ policy, file, shipped, bundled: data !== undefined, identity })
      } else problems.push(...loaded.errors.map(describeLoadError))
    } catch (cause) {
      if (!(cause instanceof BadParams)) throw cause
      for (const problem of cause.problems)
        problems.push(`policies.files.${name}.params: ${problem}`)
    }
    await nextTurn()
  }
  // A fault in a shared module shows in every policy that is compiled with it.
  if (problems.length > 0) throw new BadPolicies([...new Set(problems)], wanted.unknown)
  return { policies, ...about }
}

async function bundleOf(
  { bundle }: AskedPolicies,
  trial: Bundle | undefined,
): Promise<KeptBundle | undefined> {
  if (bundle?.url === undefined) return undefined
  if (trial === undefined) return keptBundle(bundle)
  return { kind: 'ok', bundle: trial, head: NEVER_KEPT }
}

const NEVER_KEPT = { source: '', etag: null, downloaded: '' } as const

/** The policy that was meant by a name that is none: one that ships, or of the own folder. */
export async function nearestPolicy(
  name: string,
  { directory }: AskedPolicies,
): Promise<string | undefined> {
  const folders = [SHIPPED_POLICIES, ...(directory === undefined ? [] : [directory])]
  const found = await Promise.all(
    folders.map((folder) => readPolicyFolder(folder).catch(() => undefined)),
  )
  const stems = found.flatMap((one) => one?.policies.map(({ stem }) => stem) ?? [])
  return nearest(name, [...stems, ...WITHOUT_FILE])
}

function textOf({ text }: PolicyFile): string {
  return text
}

interface Wanted {
  readonly name: string
  readonly file: PolicyFile
  readonly lib: readonly PolicyFile[]
  readonly shipped: boolean
  readonly data?: Bundle['data']
}

async function wantedFiles(
  config: AskedPolicies,
  kept: KeptBundle | undefined,
): Promise<{ files: Wanted[]; unknown: string[] }> {
  const { directory, files: settings } = config
  const named = Object.keys(settings).filter((name) => !WITHOUT_FILE.has(name))
  if (directory === undefined && named.length === 0) return { files: [], unknown: [] }
  const shipped = await readPolicyFolder(SHIPPED_POLICIES)
  const own = directory === undefined ? undefined : await readPolicyFolder(directory)
  refuseNames(own)
  const stems = new Map<string, Wanted>()
  const isCalled = (name: string): string => nameOf(config, name)
  for (const file of shipped.policies) {
    const name = isCalled(file.stem)
    if (!named.includes(name)) continue
    stems.set(name, { name, file, lib: shipped.lib, shipped: true })
  }
  const lib = [...(own?.lib ?? []), ...shipped.lib.filter(isMissingIn(own?.lib))]
  if (kept?.kind === 'ok')
    for (const one of bundled(kept.bundle, shipped.lib)) {
      const name = isCalled(one.file.stem)
      if (named.includes(name)) stems.set(name, { name, ...one, shipped: false })
    }
  for (const file of own?.policies ?? []) {
    const name = isCalled(file.stem)
    stems.set(name, { name, file, lib, shipped: false })
  }
  const files = [...stems.values()].filter(({ name }) => settings[name]?.enabled ?? true)
  const unknown = named.filter((name) => !stems.has(name))
  return { files, unknown }
}

/** A module of `yori.NAME` is a policy; those of deeper packages are shared by all of them. */
function bundled(
  { modules, data, revision }: Bundle,
  shipped: readonly PolicyFile[],
): Pick<Required<Wanted>, 'file' | 'lib' | 'data'>[] {
  const files = modules.map(({ path, text, package: at }) => ({
    at,
    file: {
      name: `bundle ${revision}/${path}`.replace(' /', '/'),
      stem: at.at(-1) ?? '',
      text,
    },
  }))
  const isPolicy = (at: readonly string[]): boolean => at.length === 2 && at[1] !== 'lib'
  const shared = files.filter(({ at }) => !isPolicy(at)).map(({ file }) => file)
  const theirs = new Set(files.map(({ at }) => at.join('.')))
  const lib = [
    ...shared,
    ...shipped.filter(({ stem }) => !theirs.has(`yori.lib.${stem}`)),
  ]
  return files.filter(({ at }) => isPolicy(at)).map(({ file }) => ({ file, lib, data }))
}

/** The file that the configuration makes the default policy bears that name. */
export function nameOf({ default: file }: AskedPolicies, stem: string): string {
  return `${stem}.rego` === file ? DEFAULT_POLICY : stem
}

/** A name is part of the path `data.yori.<name>`. */
function refuseNames(own: PolicyFolder | undefined): void {
  const bad = (own?.policies ?? []).filter(({ stem }) => !/^[a-z_]\w*$/i.test(stem))
  if (bad.length === 0) return
  throw new BadPolicies(
    bad.map(({ name }) => `${name}:1:1: a policy is named with letters, digits and _`),
  )
}

function isMissingIn(lib: readonly PolicyFile[] = []): (file: PolicyFile) => boolean {
  const stems = new Set(lib.map(({ stem }) => stem))
  return ({ stem }) => !stems.has(stem)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
