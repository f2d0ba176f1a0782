/** The type system definitions of GraphQL (specification, §3), read into a tree. */
import type { RegoObject, Value } from '../value.js'
import { GraphqlParser, node } from './graphql-parser.js'

/** The lists of a schema document, by what is defined. */
type Lists = Record<
  'Definitions' | 'Directives' | 'Extensions' | 'Schema' | 'SchemaExtension',
  Value[]
>

export function parseSchema(text: string): RegoObject {
  const parser = new GraphqlParser(text)
  const lists: Lists = {
    Definitions: [],
    Directives: [],
    Extensions: [],
    Schema: [],
    SchemaExtension: [],
  }
  while (parser.token.kind !== 'end') definition(parser, lists)
  return node(lists)
}

function definition(parser: GraphqlParser, lists: Lists): void {
  const start = parser.token
  const text = description(parser)
  if (parser.isName('extend')) {
    // An extension has no description: the description is what is unexpected.
    if (start !== parser.token) parser.unexpected(start)
    parser.next()
    extension(parser, lists)
  } else if (parser.isName('schema')) lists.Schema.push(schema(parser, text, false))
  else if (parser.isName('directive')) lists.Directives.push(directive(parser, text))
  else lists.Definitions.push(type(parser, text, false))
}

function extension(parser: GraphqlParser, lists: Lists): void {
  if (parser.isName('schema')) lists.SchemaExtension.push(schema(parser, '', true))
  else lists.Extensions.push(type(parser, '', true))
}

function description(parser: GraphqlParser): string {
  const { kind } = parser.token
  return kind === 'string' || kind === 'block-string' ? parser.next().text : ''
}

function schema(parser: GraphqlParser, text: string, extends_: boolean): RegoObject {
  parser.expectName('schema')
  const directives = parser.directives(true)
  if (!extends_ && !parser.is('{')) parser.expect('{')
  const operations = parser.some('{', '}', () => {
    if (
      !parser.isName('query') &&
      !parser.isName('mutation') &&
      !parser.isName('subscription')
    )
      parser.unexpected()
    const operation = parser.next().text
    parser.expect(':')
    return node({ Operation: operation, Type: parser.expectName() })
  })
  if (directives.length === 0 && operations.length === 0) parser.unexpected()
  return node({ Description: text, Directives: directives, OperationTypes: operations })
}

const typeKinds: ReadonlyMap<string, string> = new Map([
  ['scalar', 'SCALAR'],
  ['type', 'OBJECT'],
  ['interface', 'INTERFACE'],
  ['union', 'UNION'],
  ['enum', 'ENUM'],
  ['input', 'INPUT_OBJECT'],
])

/** The list that each kind of type may have behind its name. */
type Body = { Fields?: Value[]; Types?: Value[]; EnumValues?: Value[] }

function type(parser: GraphqlParser, text: string, extends_: boolean): RegoObject {
  const kind = parser.isName() ? typeKinds.get(parser.token.text) : undefined
  if (kind === undefined) return parser.unexpected()
  parser.next()
  const name = parser.expectName()
  const interfaces = kind === 'OBJECT' || kind === 'INTERFACE' ? implemented(parser) : []
  const directives = parser.directives(true)
  const body = bodyOf(kind, parser)
  const parts = [interfaces, directives, ...Object.values(body)]
  if (extends_ && parts.every((list) => list.length === 0)) parser.unexpected()
  return node({
    BuiltIn: false,
    Description: text,
    Directives: directives,
    Interfaces: interfaces,
    Kind: kind,
    Name: name,
    ...body,
  })
}

function bodyOf(kind: string, parser: GraphqlParser): Body {
  switch (kind) {
    case 'OBJECT':
    case 'INTERFACE':
      return { Fields: parser.some('{', '}', () => field(parser)) }
    case 'INPUT_OBJECT':
      return { Fields: parser.some('{', '}', () => inputValue(parser)) }
    case 'ENUM':
      return { EnumValues: parser.some('{', '}', () => enumValue(parser)) }
    case 'UNION':
      return { Types: members(parser) }
    default:
      return {}
  }
}

function implemented(parser: GraphqlParser): Value[] {
  if (!parser.skipName('implements')) return []
  parser.skip('&')
  const names: Value[] = [parser.expectName()]
  while (parser.skip('&')) names.push(parser.expectName())
  return names
}

function members(parser: GraphqlParser): Value[] {
  if (!parser.skip('=')) return []
  parser.skip('|')
  const names: Value[] = [parser.expectName()]
  while (parser.skip('|')) names.push(parser.expectName())
  return names
}

function field(parser: GraphqlParser): RegoObject {
  const text = description(parser)
  const name = parser.expectName()
  const args = parser.some('(', ')', () => inputValue(parser))
  parser.expect(':')
  return node({
    Arguments: args,
    Description: text,
    Name: name,
    Type: parser.type(),
    Directives: parser.directives(true),
  })
}

function inputValue(parser: GraphqlParser): RegoObject {
  const text = description(parser)
  const name = parser.expectName()
  parser.expect(':')
  return node({
    Description: text,
    Name: name,
    Type: parser.type(),
    DefaultValue: parser.skip('=') ? parser.value(true) : undefined,
    Directives: parser.directives(true),
  })
}

function enumValue(parser: GraphqlParser): RegoObject {
  const text = description(parser)
  if (parser.isName('true') || parser.isName('false') || parser.isName('null'))
    parser.unexpected()
  return node({
    Description: text,
    Name: parser.expectName(),
    Directives: parser.directives(true),
  })
}

const locations = new Set(
  (
    'QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT ' +
    'VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE ' +
    'UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION'
  ).split(' '),
)

function directive(parser: GraphqlParser, text: string): RegoObject {
  parser.expectName('directive')
  parser.expect('@')
  const name = parser.expectName()
  const args = parser.some('(', ')', () => inputValue(parser))
  const repeatable = parser.skipName('repeatable')
  parser.expectName('on')
  parser.skip('|')
  const places: Value[] = []
  do {
    if (!locations.has(parser.token.text)) parser.unexpected()
    places.push(parser.next().text)
  } while (parser.skip('|'))
  return node({
    Arguments: args,
    Description: text,
    IsRepeatable: repeatable,
    Locations: places,
    Name: name,
  })
}
