/**
 * `yaml.*`, for evaluators that are given a reader and writer of YAML: this package has none of
 * its own. Documents are JSON in another dress: keys that are no strings become their text.
 */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { t } from '../type-spec.js'
import {
  BigDecimal,
  RegoObject,
  RegoSet,
  compareStrings,
  numberFromBigInt,
  numberFromDouble,
  numberToDouble,
  objectOf,
} from '../value.js'
import type { Value } from '../value.js'
import { define, refuse, stringAt, valueAt } from './define.js'
import { goJson } from './json-text.js'
import { spendText } from './spend.js'

/** YAML text to and from plain JavaScript values, with Maps for mappings. */
export interface YamlCodec {
  /**
   * null, booleans, numbers, bigints, strings, arrays, and Maps. Of several documents the first.
   * Throws YamlSyntaxError.
   */
  parse(text: string): unknown
  /** The value as one document, mappings in the order that they have. */
  stringify(value: unknown): string
}

/** Text that is no YAML; the message says where, as in `yaml: line 1: did not find ...`. */
export class YamlSyntaxError extends Error {
  override readonly name = 'YamlSyntaxError'
}

/** Nesting beyond which a document is refused. */
export const maxYamlDepth = 200

/** `yaml.marshal`, `yaml.unmarshal` and `yaml.is_valid`, for `CompileOptions.builtins`. */
export function yamlBuiltins(codec: YamlCodec): readonly Builtin[] {
  const parse = (text: string, context: BuiltinContext): Value => {
    spendText(context, text.length)
    return fromPlain(codec.parse(text), context, 0)
  }
  return [
    define('yaml.marshal', [t.any], t.string, (args, context) => {
      const text = codec.stringify(toPlain(valueAt(args, 0)))
      spendText(context, text.length)
      return text
    }),
    define('yaml.unmarshal', [t.string], t.any, (args, context) => {
      try {
        return parse(stringAt(args, 0), context)
      } catch (cause) {
        if (cause instanceof YamlSyntaxError) refuse(cause.message)
        throw cause
      }
    }),
    define('yaml.is_valid', [t.string], t.boolean, (args, context) => {
      const text = valueAt(args, 0)
      if (typeof text !== 'string') return false
      try {
        parse(text, context)
        return true
      } catch (cause) {
        if (cause instanceof YamlSyntaxError) return false
        throw cause
      }
    }),
  ]
}

function fromPlain(plain: unknown, context: BuiltinContext, depth: number): Value {
  context.step(1)
  if (depth > maxYamlDepth) throw new YamlSyntaxError('yaml: exceeded max depth')
  switch (typeof plain) {
    case 'string':
    case 'boolean':
      return plain
    case 'bigint':
      return numberFromBigInt(plain)
    case 'number':
      if (Number.isFinite(plain)) return numberFromDouble(plain)
      throw new YamlSyntaxError(`json: unsupported value: ${plain}`)
    case 'undefined':
      return null
    default:
  }
  if (plain === null) return null
  if (Array.isArray(plain))
    return plain.map((member: unknown) => fromPlain(member, context, depth + 1))
  if (!(plain instanceof Map)) throw new YamlSyntaxError('yaml: unsupported value')
  const members: [Value, Value][] = []
  for (const [key, value] of plain as Map<unknown, unknown>) {
    const name = fromPlain(key, context, depth + 1)
    const text = typeof name === 'string' ? name : goJson(name)
    members.push([text, fromPlain(value, context, depth + 1)])
  }
  return objectOf(members)
}

/** Mappings in the order of their keys. */
function toPlain(value: Value): unknown {
  if (value instanceof BigDecimal) return numberToDouble(value)
  if (value instanceof RegoSet) return value.values().map(toPlain)
  if (Array.isArray(value)) return (value as readonly Value[]).map(toPlain)
  if (!(value instanceof RegoObject)) return value
  const members = [...value.entries()].map(([key, member]): [string, unknown] => [
    typeof key === 'string' ? key : goJson(key),
    toPlain(member),
  ])
  members.sort(([a], [b]) => compareStrings(a, b))
  return new Map(members)
}
