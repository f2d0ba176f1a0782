/**
 * Text encodings: base64 (RFC 4648), hex, URL queries, JSON. Decoded bytes that are not UTF-8
 * lose what they were: a value of Rego is text.
 */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { JsonError, fromJsonText } from '../text.js'
import { t } from '../type-spec.js'
import { RegoObject, compareStrings, objectOf, typeName } from '../value.js'
import type { Value } from '../value.js'
import { base64Bytes } from './base64.js'
import {
  define,
  membersOf,
  objectAt,
  refuse,
  refuseOperand,
  refuseType,
  stringAt,
  valueAt,
} from './define.js'
import { goJson } from './json-text.js'
import type { Layout } from './json-text.js'
import { spendText } from './spend.js'

function encoder(name: string, encode: (bytes: Buffer) => string): Builtin {
  return define(name, [t.string], t.string, (args, context) => {
    const text = stringAt(args, 0)
    spendText(context, text.length)
    return encode(Buffer.from(text))
  })
}

function decoder(name: string, decode: (text: string) => Buffer): Builtin {
  return define(name, [t.string], t.string, (args, context) => {
    const text = stringAt(args, 0)
    spendText(context, text.length)
    return decode(text).toString()
  })
}

function base64(text: string): Buffer {
  const decoded = base64Bytes(text, 'standard')
  if (decoded.kind === 'bytes') return decoded.bytes
  return refuse(`illegal base64 data at input byte ${decoded.offset}`)
}

/** Padding may be left out (RFC 7515 appendix C). */
export function base64Url(text: string): Buffer {
  const missing = text.endsWith('=') ? 0 : (4 - (text.length % 4)) % 4
  if (missing === 3) refuse(`illegal base64url string: ${text}`)
  const decoded = base64Bytes(text + '='.repeat(missing), 'url')
  if (decoded.kind === 'bytes') return decoded.bytes
  return refuse(`illegal base64 data at input byte ${decoded.offset}`)
}

function hex(text: string): Buffer {
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index)
    if (!/[0-9a-fA-F]/.test(char))
      refuse(`encoding/hex: invalid byte: U+${hexOf(char, 4)} '${char}'`)
  }
  if (text.length % 2 === 1) refuse('encoding/hex: odd length hex string')
  return Buffer.from(text, 'hex')
}

function hexOf(char: string, width: number): string {
  return char.charCodeAt(0).toString(16).toUpperCase().padStart(width, '0')
}

/** As Go's url.QueryEscape: spaces become `+`, and only letters, digits and `-_.~` stay. */
export function queryEscape(text: string): string {
  let out = ''
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte)
    if (/[A-Za-z0-9_.~-]/.test(char)) out += char
    else out += byte === 0x20 ? '+' : '%' + hexOf(char, 2)
  }
  return out
}

function queryUnescape(text: string): string {
  const bytes: Buffer[] = []
  let from = 0
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
    const code = text.slice(at + 1, at + 3)
    if (!/^[0-9a-fA-F]{2}$/.test(code))
      refuse(`invalid URL escape ${JSON.stringify('%' + code)}`)
    bytes.push(
      Buffer.from(text.slice(from, at).replaceAll('+', ' ')),
      Buffer.from(code, 'hex'),
    )
    from = at + 3
  }
  bytes.push(Buffer.from(text.slice(from).replaceAll('+', ' ')))
  return Buffer.concat(bytes).toString()
}

function encodeQuery(args: readonly Value[], context: BuiltinContext): Value {
  const object = objectAt(args, 0)
  const pairs: [string, string][] = []
  for (const [key, value] of object.entries()) {
    const name = typeof key === 'string' ? key : goJson(key)
    const members = typeof value === 'string' ? [value] : membersOf(value)
    for (const member of members ?? [null]) {
      if (typeof member !== 'string')
        refuseOperand(1, 'values must be string, array[string], or set[string]')
      pairs.push([name, member])
    }
  }
  context.step(pairs.length)
  pairs.sort(([a], [b]) => compareStrings(a, b))
  return pairs
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join('&')
}

function decodeQuery(args: readonly Value[], context: BuiltinContext): Value {
  const lists = new Map<string, string[]>()
  const parts = stringAt(args, 0).split('&')
  context.step(parts.length)
  for (const part of parts) {
    if (part.includes(';')) refuse('invalid semicolon separator in query')
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = queryUnescape(equals < 0 ? part : part.slice(0, equals))
    const value = equals < 0 ? '' : queryUnescape(part.slice(equals + 1))
    const list = lists.get(name)
    if (list === undefined) lists.set(name, [value])
    else list.push(value)
  }
  return objectOf(lists)
}

function marshal(args: readonly Value[], context: BuiltinContext): Value {
  const text = goJson(valueAt(args, 0))
  spendText(context, text.length)
  return text
}

function marshalWithOptions(args: readonly Value[], context: BuiltinContext): Value {
  const { layout, pretty } = layoutAt(args, 1)
  const text = goJson(valueAt(args, 0), pretty ? layout : undefined)
  spendText(context, text.length)
  return pretty ? layout.prefix + text : text
}

/** A prefix or an indent asks for many lines, unless `pretty` says otherwise. */
function layoutAt(
  args: readonly Value[],
  index: number,
): { layout: Layout; pretty: boolean } {
  const options = valueAt(args, index)
  if (!(options instanceof RegoObject)) refuseType(index + 1, options, 'object')
  let pretty: boolean | undefined
  const given: { prefix?: string; indent?: string } = {}
  for (const [key, value] of options.entries()) {
    if (key === 'pretty') {
      if (typeof value !== 'boolean')
        refuseOperand(index + 1, `key "pretty" failed cast to bool`)
      pretty = value
    } else if (key === 'prefix' || key === 'indent') {
      if (typeof value !== 'string')
        refuseOperand(
          index + 1,
          `key "${key}" failed cast to string: must be string but got ${typeName(value)}`,
        )
      given[key] = value
    } else {
      const shown = typeof key === 'string' ? JSON.stringify(key) : goJson(key)
      refuseOperand(index + 1, `object contained unknown key ${shown}`)
    }
  }
  const layout = { prefix: '', indent: '\t', ...given }
  return { layout, pretty: pretty ?? Object.keys(given).length > 0 }
}

function unmarshal(args: readonly Value[], context: BuiltinContext): Value {
  const text = stringAt(args, 0)
  spendText(context, text.length)
  try {
    return fromJsonText(text)
  } catch (cause) {
    if (cause instanceof JsonError) refuse(cause.message)
    throw cause
  }
}

function isJson(args: readonly Value[], context: BuiltinContext): Value {
  const text = valueAt(args, 0)
  if (typeof text !== 'string') return false
  spendText(context, text.length)
  try {
    fromJsonText(text)
    return true
  } catch (cause) {
    if (cause instanceof JsonError) return false
    throw cause
  }
}

const queryValue = t.oneOf(t.string, t.array(t.string), t.set(t.string))

export const encodings: readonly Builtin[] = [
  encoder('base64.encode', (bytes) => bytes.toString('base64')),
  decoder('base64.decode', base64),
  define('base64.is_valid', [t.string], t.boolean, (args) => {
    const text = valueAt(args, 0)
    return typeof text === 'string' && base64Bytes(text, 'standard').kind === 'bytes'
  }),
  encoder('base64url.encode', (bytes) =>
    bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
  ),
  encoder('base64url.encode_no_pad', (bytes) => bytes.toString('base64url')),
  decoder('base64url.decode', base64Url),
  encoder('hex.encode', (bytes) => bytes.toString('hex')),
  decoder('hex.decode', hex),
  define('urlquery.encode', [t.string], t.string, (args) =>
    queryEscape(stringAt(args, 0)),
  ),
  define('urlquery.decode', [t.string], t.string, (args) =>
    queryUnescape(stringAt(args, 0)),
  ),
  define(
    'urlquery.encode_object',
    [t.object(t.string, queryValue)],
    t.string,
    encodeQuery,
  ),
  define(
    'urlquery.decode_object',
    [t.string],
    t.object(t.string, t.array(t.string)),
    decodeQuery,
  ),
  define('json.marshal', [t.any], t.string, marshal),
  define(
    'json.marshal_with_options',
    [t.any, t.object(t.string)],
    t.string,
    marshalWithOptions,
  ),
  define('json.unmarshal', [t.string], t.any, unmarshal),
  define('json.is_valid', [t.string], t.boolean, isJson),
]
