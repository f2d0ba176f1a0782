/**
 * What a node of the configuration schema may hold, and the TypeScript type that it stands
 * for. Each node is JSON Schema (draft-07 keywords) plus annotations of our own:
 *
 * - `unit`: `bytes` (also read as `10MiB`), `seconds` or `ms`
 * - `format`: a form of text that `schema-formats.ts` checks
 * - `secret`: becomes a `Secret`; `${VAR}` in it is expanded from the environment
 * - `single`: a list that may be written as one value
 * - `uniqueBy`: the key in which no two items of a list are equal ('' for the items themselves)
 * - `derived`: no fixed default, but present after load; the text says how it is found
 *
 * Pure; what is done with a schema is elsewhere.
 */
import type { Secret } from '../src/core/secret.js'
import type { Format } from './schema-formats.js'

interface Described {
  readonly description: string
}

export interface TextNode extends Described {
  readonly type: 'string'
  readonly default?: string
  readonly derived?: string
  readonly enum?: readonly string[]
  readonly format?: Format
  readonly secret?: true
  readonly maxLength?: number
}

export interface NumberNode extends Described {
  readonly type: 'integer' | 'number'
  readonly default?: number
  readonly minimum: number
  readonly maximum: number
  readonly unit?: 'bytes' | 'seconds' | 'ms'
}

export interface FlagNode extends Described {
  readonly type: 'boolean'
  readonly default?: boolean
}

export interface ListNode extends Described {
  readonly type: 'array'
  readonly items: SchemaNode
  readonly maxItems: number
  readonly minItems?: number
  readonly default: readonly unknown[]
  readonly single?: true
  readonly uniqueBy?: string
}

export interface SectionNode extends Described {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties: false
  readonly default?: object
}

/** Names that the operator chooses, each with a value of one shape. */
export interface MapNode extends Described {
  readonly type: 'object'
  readonly additionalProperties: SchemaNode
  readonly propertyNames: { readonly format: Format }
  readonly maxProperties: number
  readonly default: object
}

/** An object whose keys and values are someone else's matter. */
export interface FreeNode extends Described {
  readonly type: 'object'
  readonly additionalProperties: true
  readonly default: object
}

export type SchemaNode =
  TextNode | NumberNode | FlagNode | ListNode | SectionNode | MapNode | FreeNode

export const isSection = (node: SchemaNode): node is SectionNode => 'properties' in node

export const isMap = (node: SchemaNode): node is MapNode => 'propertyNames' in node

type Flat<T> = { [K in keyof T]: T[K] }
type Required<S> = S extends { required: readonly (infer R)[] } ? R : never
type Present<P, R> = {
  [K in keyof P]: P[K] extends { default: unknown } | { derived: string }
    ? K
    : K extends R
      ? K
      : never
}[keyof P]

type Section<P, R> = Flat<
  { readonly [K in Present<P, R>]: FromSchema<P[K]> } & {
    readonly [K in Exclude<keyof P, Present<P, R>>]?: FromSchema<P[K]>
  }
>

/** The value of a schema after load: keys with a default or required are there, others may be. */
export type FromSchema<S> = S extends { secret: true }
  ? Secret
  : S extends { enum: readonly (infer E)[] }
    ? E
    : S extends { type: 'string' }
      ? string
      : S extends { type: 'integer' | 'number' }
        ? number
        : S extends { type: 'boolean' }
          ? boolean
          : S extends { type: 'array'; items: infer I }
            ? readonly FromSchema<I>[]
            : S extends { properties: infer P }
              ? Section<P, Required<S>>
              : S extends { additionalProperties: infer V }
                ? Readonly<Record<string, V extends true ? unknown : FromSchema<V>>>
                : never
