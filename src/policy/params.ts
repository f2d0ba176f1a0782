/**
 * The parameters of a policy: what its own rule `parameters` says that they are, and whether
 * what the operator gave fits. Checked at load, so that a wrong value is an error that names
 * it now and not at night. Given values are brought into one form: days by their full name,
 * devices by canonical address.
 *
 *     parameters := {"start_hour": {"type": "integer", "minimum": 0, "maximum": 24,
 *       "default": 21, "description": "The hour at which it begins."}}
 *
 * Types: integer, number, string, boolean, strings, days, devices, numbers (an object).
 */
import { canonicalAddress } from '../core/address.js'
import { macText } from '../core/mac.js'
import { weekdayOf } from './local-time.js'

export type Params = Readonly<Record<string, unknown>>

/** Params that do not fit; `message` says which and what is expected. */
export class BadParams extends Error {
  /** One a parameter. */
  readonly problems: readonly string[]

  constructor(...problems: readonly string[]) {
    super(problems.join('; '))
    this.problems = problems
  }
}

export const PARAM_TYPES = [
  'integer',
  'number',
  'string',
  'boolean',
  'strings',
  'days',
  'devices',
  'numbers',
] as const

type ParamType = (typeof PARAM_TYPES)[number]

export interface Parameter {
  readonly type: ParamType
  readonly description: string
  /** Absent: it must be given. */
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
}

export type Parameters = Readonly<Record<string, Parameter>>

/** Members of one list or object. */
const MAX_MEMBERS = 10_000

/** @throws BadParams when the policy's own rule is not of the form above */
export function parametersOf(declared: unknown): Parameters {
  if (!isRecord(declared)) throw new BadParams('`parameters` is not an object')
  for (const [name, spec] of Object.entries(declared)) {
    const type = isRecord(spec) ? spec['type'] : undefined
    if (PARAM_TYPES.some((known) => known === type)) continue
    throw new BadParams(`parameters.${name}.type is one of ${PARAM_TYPES.join(', ')}`)
  }
  return declared as unknown as Parameters
}

/**
 * What the policy gets as `data.params`: all that it declares, with its defaults. Without a
 * declaration, what was given.
 * @throws BadParams with all that is wrong
 */
export function filledParams(given: Params, declared: Parameters | undefined): Params {
  if (declared === undefined) return given
  const known = Object.keys(declared).sort().join(', ')
  const problems = Object.keys(given)
    .filter((name) => !Object.hasOwn(declared, name))
    .map((name) => `${name} is not a parameter; there are ${known}`)
  const filled: [string, unknown][] = []
  for (const [name, parameter] of Object.entries(declared)) {
    const value = given[name] ?? parameter.default
    try {
      if (value === undefined)
        throw new BadParams(`${name} is needed: ${wanted(parameter)}`)
      filled.push([name, fitted(name, value, parameter)])
    } catch (cause) {
      if (!(cause instanceof BadParams)) throw cause
      problems.push(...cause.problems)
    }
  }
  if (problems.length > 0) throw new BadParams(...problems)
  return Object.fromEntries(filled)
}

function fitted(name: string, value: unknown, parameter: Parameter): unknown {
  switch (parameter.type) {
    case 'integer':
    case 'number':
      if (isFitting(value, parameter)) return value
      break
    case 'boolean':
      if (typeof value === 'boolean') return value
      break
    case 'string':
      if (typeof value === 'string' && (parameter.enum?.includes(value) ?? true)) {
        return value
      }
      break
    case 'numbers':
      if (isRecord(value) && Object.keys(value).length <= MAX_MEMBERS) {
        const isRight = (item: unknown): boolean => isFitting(item, parameter)
        if (Object.values(value).every(isRight)) return value
      }
      break
    case 'strings':
    case 'days':
    case 'devices':
      if (isTexts(value)) return value.map((text) => inOneForm(name, text, parameter))
      break
  }
  throw new BadParams(`${name} is ${wanted(parameter)}`)
}

function isFitting(value: unknown, { type, minimum, maximum }: Parameter): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  if (type === 'integer' && !Number.isInteger(value)) return false
  return value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)
}

function inOneForm(name: string, text: string, { type, enum: among }: Parameter): string {
  if (type === 'days') {
    const day = weekdayOf(text)
    if (day === undefined) throw new BadParams(`${name}: ${text} is not a day`)
    return day
  }
  if (type === 'devices') {
    const device = canonicalAddress(text) ?? macText(text)
    if (device !== undefined) return device
    throw new BadParams(`${name}: ${text} is neither an IP nor a MAC address`)
  }
  if (among?.includes(text) ?? true) return text
  throw new BadParams(`${name}: ${text} is not one of ${(among ?? []).join(', ')}`)
}

function isTexts(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_MEMBERS &&
    value.every((item) => typeof item === 'string')
  )
}

function wanted({ type, minimum, maximum, enum: among }: Parameter): string {
  const from = minimum === undefined ? '' : ` from ${minimum}`
  const to = maximum === undefined ? '' : ` to ${maximum}`
  switch (type) {
    case 'integer':
      return `a whole number${from}${to}`
    case 'number':
      return `a number${from}${to}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return among === undefined ? 'a text' : `one of ${among.join(', ')}`
    case 'strings':
      return 'a list of texts'
    case 'days':
      return 'a list of days'
    case 'devices':
      return 'a list of IP or MAC addresses'
    case 'numbers':
      return `an object of numbers${from}${to}`
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
