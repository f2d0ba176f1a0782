/**
 * Reads the catalogue of detection rules: `config/detect/*.yaml` of the package, and over it the
 * household's own file of the same form. Says every problem with file and line; what a rule
 * means is `src/detect`'s matter.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../src/core/package-root.js'
import { CHECKERS } from '../src/detect/checkers.js'
import { Detector } from '../src/detect/detector.js'
import { patternProblem } from '../src/detect/rule.js'
import type { Rule } from '../src/detect/rule.js'
import { checkNode } from './check-node.js'
import { withDefaults } from './defaults.js'
import { formatKey } from './problem.js'
import type { Path, Problem } from './problem.js'
import { readValue } from './read-values.js'
import { readYaml } from './read-yaml.js'
import { detectSchema } from './schema-detect.js'
import type { DetectFile, RuleItem } from './schema-detect.js'
import type { Place } from './walk-yaml.js'
import { whyUnread } from './why-unread.js'

export const DETECT_FILES: readonly string[] = [
  'personal.yaml',
  'secrets.yaml',
  'injection.yaml',
].map((name) => packageFile('config', 'detect', name))

/** The same as JSON, which the build writes beside this module. Run from source, there is none. */
const COMPILED_FILE = fileURLToPath(new URL('detect.json', import.meta.url))
const MAX_FILE_BYTES = 1024 * 1024

export type LoadedRules =
  | { readonly kind: 'ok'; readonly rules: readonly Rule[]; readonly detector: Detector }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** Never throws for what an operator can get wrong. `own`: the path of a second file. */
export function loadRules(own?: string): LoadedRules {
  const problems: Problem[] = []
  const shipped = shippedRules(problems)
  const more = own === undefined ? [] : rulesOf(own, problems)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const rules = new Map([...shipped, ...more].map((rule) => [rule.id, rule]))
  const all = [...rules.values()]
  return { kind: 'ok', rules: all, detector: new Detector(all) }
}

let shipped: Detector | undefined

/** By the rules that come with YORI; they are read once. */
export function shippedDetector(): Detector {
  if (shipped !== undefined) return shipped
  const loaded = loadRules()
  if (loaded.kind === 'invalid') throw new Error('the catalogue of rules does not hold')
  return (shipped = loaded.detector)
}

function shippedRules(problems: Problem[]): Rule[] {
  try {
    return JSON.parse(readFileSync(COMPILED_FILE, 'utf8')) as Rule[]
  } catch {
    return DETECT_FILES.flatMap((file) => rulesOf(file, problems))
  }
}

function rulesOf(file: string, problems: Problem[]): Rule[] {
  try {
    const bytes = readFileSync(file)
    if (bytes.length <= MAX_FILE_BYTES)
      return parseRules(bytes.toString(), file, problems)
    const wrong = `is longer than ${MAX_FILE_BYTES} bytes`
    problems.push({ file, key: '', wrong, right: 'name the file of rules' })
  } catch (cause) {
    const wrong = whyUnread(cause)
    problems.push({ file, key: '', wrong, right: 'check path and permissions' })
  }
  return []
}

/** Its rules; problems are added where it does not fit. */
export function parseRules(source: string, file: string, problems: Problem[]): Rule[] {
  const { value, places, faults } = readYaml(source)
  const before = problems.length
  for (const fault of faults) problems.push({ file, ...fault })
  const report = (path: Path, wrong: string, right: string): void => {
    const key = formatKey(path)
    let place: Place | undefined
    for (let length = path.length; length > 0 && place === undefined; length--) {
      const here = formatKey(path.slice(0, length))
      place = places.values.get(here) ?? places.keys.get(here)
    }
    const at = place === undefined ? {} : { line: place.line, column: place.column }
    problems.push({ file, ...at, key, wrong, right })
  }
  const reading = { env: {}, base: '/', report, warn: () => undefined }
  const read = readValue(detectSchema, value, [], reading)
  if (faults.length === 0) checkNode(detectSchema, read, [], report)
  if (problems.length > before) return []
  const whole = withDefaults(detectSchema, read) as DetectFile
  const rules = whole.rules.map((item, i) => ruleOf(item, ['rules', i], report))
  return problems.length > before ? [] : rules
}

type Report = (path: Path, wrong: string, right: string) => void

const FORM = /^[dAx]+(?:[ ./:_+-][dAx]+){0,7}$/
const MAX_WILD = 9

function ruleOf(item: RuleItem, path: Path, report: Report): Rule {
  const by = item.by ?? 'form'
  const { check, context } = item
  if (check !== undefined && !CHECKERS.has(check))
    report(
      [...path, 'check'],
      `${check} is no checker`,
      `one of ${[...CHECKERS.keys()].join(', ')}`,
    )
  const base = {
    ...{ id: item.id, class: item.class ?? 'pii', kind: item.kind, source: item.source },
    ...{ confidence: item.confidence, example: item.example, near: item.near },
    ...(item.said === undefined ? {} : { said: item.said }),
    ...(item.alone === undefined ? {} : { alone: item.alone }),
    ...(check === undefined ? {} : { check }),
    ...(context.length === 0
      ? {}
      : { context: context.map((word) => word.toLowerCase()) }),
    ...(item.entropy === undefined ? {} : { entropy: item.entropy }),
  } as const
  if (by === 'form') {
    const { forms } = item
    forms.forEach((form, i) => {
      const wild = form.replace(/[^x]/g, '').length
      if (!FORM.test(form) || form.length > 40 || wild > MAX_WILD)
        report(
          [...path, 'forms', i],
          `${form} is no form`,
          'groups of d, A and at most nine x',
        )
    })
    if (forms.length === 0) report(path, 'has no forms', 'add forms, or say by')
    const between = item.between === undefined ? {} : { between: item.between }
    return { ...base, by, forms, ...between }
  }
  if (by === 'phrase') {
    if (item.steps.length === 0) report(path, 'has no steps', 'add steps')
    return {
      ...{ ...base, by, steps: item.steps.map((words) => words.toLowerCase()) },
      ...(item.gap === undefined ? {} : { gap: item.gap }),
      ...(item.unless === undefined ? {} : { unless: item.unless }),
      ...(item.tool === undefined ? {} : { tool: item.tool }),
    }
  }
  const body = item.body ?? ''
  const wrong = patternProblem(body)
  if (wrong !== undefined) report([...path, 'body'], wrong, 'classes with {n} or {n,m}')
  if (by === 'prefix') {
    if (item.prefixes.length === 0) report(path, 'has no prefixes', 'add prefixes')
    return { ...base, by, prefixes: item.prefixes, body }
  }
  if (by === 'named') {
    if (item.names.length === 0) report(path, 'has no names', 'add names')
    return { ...base, by, names: item.names.map((name) => name.toLowerCase()), body }
  }
  const { anchor = '', back = 0 } = item
  if (anchor.length < 2) report(path, 'has no anchor', 'add an anchor of two characters')
  return { ...base, by, anchor, back, body }
}
