/**
 * Short forms for the nodes that the schema repeats. Each returns plain JSON Schema whose
 * literal type is kept, so that `FromSchema` can read it.
 */
import type { SchemaNode } from './from-schema.js'
import type { Format } from './schema-formats.js'

export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB

/** The longest duration that the configuration takes: one day, in seconds. */
export const LONGEST_SECONDS = 86_400
/** The shortest: 10 ms. Nothing is switched off by a zero. */
export const SHORTEST_SECONDS = 0.01

interface Described {
  readonly description: string
}

interface Ranged extends Described {
  readonly default?: number
  readonly minimum?: number
  readonly maximum: number
}

interface Timed extends Described {
  readonly default?: number
  readonly maximum?: number
}

interface Listed extends Described {
  readonly items: SchemaNode
  readonly maxItems: number
  readonly minItems?: number
  readonly default: readonly unknown[]
  readonly single?: true
  readonly uniqueBy?: string
}

interface Worded extends Described {
  readonly default?: string
  readonly derived?: string
  readonly format?: Format
  readonly maxLength?: number
}

// What a node may override is typed by its kind, not its value: two literals would make `never`.
const AT_LEAST_ONE: number = 1
const SHORTEST: number = SHORTEST_SECONDS
const LONGEST: number = LONGEST_SECONDS
const MAX_TEXT: number = 4096

/** Bytes. `minimum` is 1 unless given. */
export const size = <const N extends Ranged>(node: N) =>
  ({ type: 'integer', unit: 'bytes', minimum: AT_LEAST_ONE, ...node }) as const

/** A whole number. `minimum` is 1 unless given. */
export const count = <const N extends Ranged>(node: N) =>
  ({ type: 'integer', minimum: AT_LEAST_ONE, ...node }) as const

/** A duration of at most a day unless given less. */
export const seconds = <const N extends Timed>(node: N) =>
  ({
    type: 'number',
    unit: 'seconds',
    minimum: SHORTEST,
    maximum: LONGEST,
    ...node,
  }) as const

export const flag = <const D extends boolean>(value: D, description: string) =>
  ({ type: 'boolean', default: value, description }) as const

export const text = <const N extends Worded>(node: N) =>
  ({ type: 'string', maxLength: MAX_TEXT, ...node }) as const

export const choice = <const N extends { enum: readonly string[]; default?: string }>(
  node: N & Described,
) => ({ type: 'string', ...node }) as const

export const secret = (format: Format, description: string) =>
  ({ type: 'string', secret: true, maxLength: 4096, format, description }) as const

export const list = <const N extends Listed>(node: N) =>
  ({ type: 'array', ...node }) as const

export const dnsServers = (description: string) =>
  list({
    items: text({ format: 'ip-maybe-port', description: 'ip or ip:port' }),
    maxItems: 8,
    default: [],
    single: true,
    uniqueBy: '',
    description,
  })

/** A part of the file that may be left out as a whole: every key in it has its own default. */
export const section = <const P extends Readonly<Record<string, SchemaNode>>>(
  description: string,
  properties: P,
) =>
  ({
    type: 'object',
    additionalProperties: false,
    default: {},
    description,
    properties,
  }) as const

/** One item of a list, with the keys that it cannot be without. */
export const item = <
  const P extends Readonly<Record<string, SchemaNode>>,
  const R extends readonly (keyof P & string)[],
>(
  description: string,
  required: R,
  properties: P,
) =>
  ({
    type: 'object',
    additionalProperties: false,
    required,
    description,
    properties,
  }) as const

/** Fields of a request to somebody whom the configuration names. */
export const fieldsSet = {
  type: 'object',
  propertyNames: { format: 'header-name' },
  additionalProperties: secret('header-value', 'What it says.'),
  maxProperties: 32,
  default: {},
  description: 'Fields that each request to it has, in the place of those of the client.',
} as const
