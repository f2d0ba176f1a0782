/**
 * All that would keep YORI from starting with a configuration that is valid as a text, found at
 * once: policies that do not compile, files that it names, the CA on disk. What a start meets first
 * would hide the rest. Reads files, and changes none.
 */
import { X509Certificate } from 'node:crypto'
import { loadCatalogue } from '../../config/read-catalogue.js'
import { formatKey, formatProblem } from '../../config/problem.js'
import type { Path, Problem } from '../../config/problem.js'
import { siteCertificateOf } from '../assembly/certificates.js'
import {
  BadPolicies,
  loadPolicySet,
  nearestPolicy,
} from '../assembly/from-config/policy-set.js'
import { readPem } from '../assembly/from-config/read-pem.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import { Engine } from '../waf/libmodsecurity.js'
import { findRuleSet } from '../waf/rule-set.js'
import { caProblems } from './ca-problems.js'
import type { Loaded } from './context.js'

export interface StartProblems {
  readonly problems: readonly Problem[]
  /** It starts, and something will not be as it is written. */
  readonly warnings: readonly Problem[]
}

/** Never rejects for what an operator can get wrong. */
export async function startProblems(
  loaded: Loaded,
  clock: Clock,
): Promise<StartProblems> {
  const told = new Told(loaded)
  const ca = await caProblems(loaded, clock)
  await addPolicies(loaded, clock, told)
  await addRoots(loaded, told)
  await addSite(loaded, told)
  addWaf(loaded, told)
  const catalogue = await loadCatalogue(loaded.config.catalogue.file)
  return {
    problems: [
      ...ca.problems,
      ...told.problems,
      ...(catalogue.kind === 'ok' ? [] : catalogue.problems),
    ],
    warnings: [...ca.warnings, ...told.warnings],
  }
}

/**
 * What a start or a reload ended with, and with it all else that would have ended it.
 * @throws what it is given, or YORI_CONFIG_INVALID with every problem, one a line
 */
export async function failStart(
  failure: unknown,
  loaded: Loaded,
  clock: Clock,
): Promise<never> {
  if (!(failure instanceof YoriError) || failure.code !== 'YORI_CONFIG_INVALID')
    throw failure
  const { problems } = await startProblems(loaded, clock).catch(() => ({ problems: [] }))
  if (problems.length === 0) throw failure
  throw new YoriError(
    'YORI_CONFIG_INVALID',
    `the configuration is not valid\n${problems.map(formatProblem).join('\n')}`,
    { cause: failure },
  )
}

const PLACED = /^(.+?):(\d+):(\d+): ([^]*)$/

/** By the places that the keys have in the file. */
class Told {
  readonly problems: Problem[] = []
  readonly warnings: Problem[] = []
  readonly #loaded: Loaded

  constructor(loaded: Loaded) {
    this.#loaded = loaded
  }

  problem(path: Path, wrong: string, right: string): void {
    this.problems.push(this.#at(path, wrong, right))
  }

  warning(path: Path, wrong: string, right: string): void {
    this.warnings.push(this.#at(path, wrong, right))
  }

  /** `file:line:column: what is wrong`; or a folder that cannot be read. */
  policy(told: string): void {
    const [, file, line, column, wrong] = PLACED.exec(told) ?? []
    const right = 'mend it; yori policy check tells as much'
    if (file === undefined || wrong === undefined)
      this.problem(['policies', 'directory'], told, 'mend the folder or the path')
    else
      this.problems.push({
        ...{ file, line: Number(line), column: Number(column) },
        ...{ key: '', wrong, right },
      })
  }

  #at(path: Path, wrong: string, right: string): Problem {
    const key = formatKey(path)
    const line = this.#loaded.lineOf(key)
    const file = this.#loaded.source
    return { file, key, wrong, right, ...(line === undefined ? {} : { line }) }
  }
}

async function addPolicies({ config }: Loaded, clock: Clock, told: Told): Promise<void> {
  const { policies } = config
  const { problems, unknown } = await loadPolicySet(policies, clock).then(
    (set) => ({ problems: [], unknown: set.unknown }),
    (cause: unknown) => {
      if (cause instanceof BadPolicies) return cause
      return { problems: [messageOf(cause)], unknown: [] }
    },
  )
  for (const problem of problems) {
    const [, name, wrong] = PARAMS.exec(problem) ?? []
    if (name !== undefined && wrong !== undefined)
      told.problem(
        ['policies', 'files', name, 'params'],
        wrong,
        'mend it, or leave it out',
      )
    else told.policy(problem)
  }
  for (const name of unknown) {
    if (policies.files[name]?.enabled === false) continue
    if (policies.bundle.url !== undefined) {
      told.warning(
        ['policies', 'files', name],
        'no bundle has brought a policy of that name yet: until then it says nothing',
        'yori policy list has those that are there',
      )
      continue
    }
    const meant = await nearestPolicy(name, policies)
    told.warning(
      ['policies', 'files', name],
      'no policy has that name: it says nothing',
      meant === undefined ? 'yori policy list has them all' : `did you mean ${meant}?`,
    )
  }
}

const PARAMS = /^policies\.files\.(\w+)\.params: ([^]*)$/

/** Certificates of roots that are believed beside the public ones. */
async function addRoots({ config }: Loaded, told: Told): Promise<void> {
  for (const [index, file] of config.upstream.extra_ca.entries()) {
    const path = ['upstream', 'extra_ca', index]
    const text = await readPem(file).catch((cause: unknown) => {
      told.problem(path, messageOf(cause), 'create it or mend the path')
      return undefined
    })
    if (text !== undefined && !holdsCertificates(text))
      told.problem(path, `${file} holds no certificate`, 'name a file of PEM')
  }
}

function holdsCertificates(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  try {
    for (const block of blocks ?? []) new X509Certificate(block)
    return blocks !== null
  } catch {
    return false
  }
}

/** The operator's own certificate for our own site. */
async function addSite({ config }: Loaded, told: Told): Promise<void> {
  try {
    await siteCertificateOf(config)
  } catch (cause) {
    told.problem(['proxy', 'tls_cert'], messageOf(cause), 'mend the file or the path')
  }
}

/** It would start, and say that it cannot look. */
function addWaf({ config }: Loaded, told: Told): void {
  const { waf } = config
  if (!waf.enabled) return
  try {
    findRuleSet(waf.rules)
  } catch (cause) {
    told.problem(['waf', 'rules'], messageOf(cause), 'mend the path, or install them')
  }
  try {
    Engine.open()
  } catch (cause) {
    const right = 'install it, or set waf.enabled to false'
    told.warning(['waf', 'enabled'], messageOf(cause), right)
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
