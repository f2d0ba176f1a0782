/**
 * A folder of rules as the OWASP Core Rule Set has them: which version it is, which files the
 * engine is given, and what each rule says of itself.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Of one folder, and of one file. */
const MAX_FILES = 256
const MAX_FILE_BYTES = 8 * 1024 * 1024

export interface RuleSet {
  /** Where its files stand: the folder itself, or `rules` in it. */
  readonly folder: string
  /** `3.3.4`. */
  readonly version: string
  /** 3 or 4: how its settings are called. */
  readonly generation: 3 | 4
  /** Rules about requests, in the order in which they are read. */
  readonly files: readonly string[]
}

/** It is no rule set that can be used; the message says why, with the path. */
export class NoRuleSet extends Error {
  override readonly name = 'NoRuleSet'
}

/** @throws NoRuleSet */
export function findRuleSet(folder: string): RuleSet {
  for (const at of [join(folder, 'rules'), folder]) {
    const names = namesIn(at)
    const files = names?.filter((name) => /^REQUEST-\d.*\.conf$/.test(name)) ?? []
    if (files.length === 0) continue
    const paths = files.toSorted().map((name) => join(at, name))
    const version = versionOf(paths)
    if (version === undefined)
      throw new NoRuleSet(`${at} does not say which version of the Core Rule Set it is`)
    const generation = Number(version.split('.', 1)[0])
    if (generation !== 3 && generation !== 4)
      throw new NoRuleSet(
        `${at} is version ${version} of the Core Rule Set; 3 and 4 are known`,
      )
    return { folder: at, version, generation, files: paths }
  }
  const reason =
    namesIn(folder) === undefined
      ? 'cannot be read'
      : 'has no REQUEST-*.conf, nor its folder rules'
  throw new NoRuleSet(
    `${folder} ${reason}: give a folder of the OWASP Core Rule Set, such as ` +
      '/usr/share/modsecurity-crs of the Debian package modsecurity-crs',
  )
}

function namesIn(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder).slice(0, MAX_FILES)
  } catch {
    return undefined
  }
}

function versionOf(files: readonly string[]): string | undefined {
  for (const file of files) {
    const found =
      /^\s*SecComponentSignature\s+"OWASP_CRS\/(\d{1,3}(?:\.\d{1,4}){1,2}(?:-[\w.]{1,32})?)"/m
    const version = found.exec(textOf(file))?.[1]
    if (version !== undefined) return version
  }
  return undefined
}

/** @throws NoRuleSet */
function textOf(file: string): string {
  try {
    if (statSync(file).size > MAX_FILE_BYTES)
      throw new NoRuleSet(`${file} is longer than 8 MiB`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof NoRuleSet) throw cause
    throw new NoRuleSet(`${file} cannot be read: ${(cause as Error).message}`)
  }
}

export interface RuleAbout {
  readonly id: number
  /** Empty: it has none. */
  readonly message: string
  readonly tags: readonly string[]
  /** From which paranoia level on it is asked. */
  readonly paranoia: number
  /** What it adds to the score. */
  readonly points: number
}

/** As the rule set has them. */
const POINTS: Readonly<Record<string, number>> = {
  CRITICAL: 5,
  ERROR: 4,
  WARNING: 3,
  NOTICE: 2,
}

/** Of each rule, by its number. @throws NoRuleSet */
export function rulesOf({ files }: RuleSet): ReadonlyMap<number, RuleAbout> {
  const rules = new Map<number, RuleAbout>()
  for (const file of files) {
    const text = textOf(file).replace(/^\s*#.*$/gm, '')
    for (const [, actions = ''] of text.matchAll(
      /"((?:id:|\\\r?\n?\s*id:)\d[^]*?)"\s*$/gm,
    )) {
      const about = ruleOf(actions)
      if (about !== undefined && !rules.has(about.id)) rules.set(about.id, about)
    }
  }
  return rules
}

function ruleOf(actions: string): RuleAbout | undefined {
  const id = /\bid:(\d{1,9})/.exec(actions)?.[1]
  if (id === undefined) return undefined
  const tags = [...actions.matchAll(/\btag:'([^']{1,128})'/g)].map(([, tag = '']) => tag)
  const severity = /\bseverity:'([A-Z]{1,16})'/.exec(actions)?.[1] ?? ''
  const level = tags.find((tag) => tag.startsWith('paranoia-level/'))?.slice(-1)
  return {
    id: Number(id),
    message: /\bmsg:'((?:[^'\\]|\\.){1,256})'/.exec(actions)?.[1] ?? '',
    tags,
    paranoia: Number(level ?? 1),
    points: POINTS[severity] ?? 0,
  }
}
