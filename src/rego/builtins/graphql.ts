/** GraphQL documents as trees. They are read, not checked: a schema's rules are not known here. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import type { RegoObject, Value } from '../value.js'
import { define, stringAt } from './define.js'
import { GraphqlParser, node } from './graphql-parser.js'
import { parseSchema } from './graphql-schema.js'

/** GraphQL specification, §2.2 to §2.8; fragments may have variables. */
function parseQuery(text: string): RegoObject {
  const parser = new GraphqlParser(text)
  const operations: Value[] = []
  const fragments: Value[] = []
  while (parser.token.kind !== 'end') {
    if (parser.isName('fragment')) fragments.push(fragment(parser))
    else operations.push(operation(parser))
  }
  return node({ Fragments: fragments, Operations: operations })
}

const operationTypes = new Set(['query', 'mutation', 'subscription'])

function operation(parser: GraphqlParser): RegoObject {
  if (parser.is('{'))
    return node({ Name: '', Operation: 'query', SelectionSet: selections(parser) })
  if (!parser.isName() || !operationTypes.has(parser.token.text)) parser.unexpected()
  const type = parser.next().text
  return node({
    Name: parser.isName() ? parser.next().text : '',
    Operation: type,
    VariableDefinitions: parser.variables(),
    Directives: parser.directives(false),
    SelectionSet: selections(parser),
  })
}

function fragment(parser: GraphqlParser): RegoObject {
  parser.expectName('fragment')
  if (parser.isName('on')) parser.unexpected()
  const name = parser.expectName()
  const variables = parser.variables()
  parser.expectName('on')
  return node({
    Name: name,
    VariableDefinition: variables,
    TypeCondition: parser.expectName(),
    Directives: parser.directives(false),
    SelectionSet: selections(parser),
  })
}

function selections(parser: GraphqlParser): Value[] {
  if (!parser.is('{')) parser.expect('{')
  return parser.some('{', '}', () =>
    parser.skip('...') ? spread(parser) : field(parser),
  )
}

function field(parser: GraphqlParser): RegoObject {
  const alias = parser.expectName()
  return node({
    Alias: alias,
    Name: parser.skip(':') ? parser.expectName() : alias,
    Arguments: parser.arguments(false),
    Directives: parser.directives(false),
    SelectionSet: parser.is('{') ? selections(parser) : undefined,
  })
}

function spread(parser: GraphqlParser): RegoObject {
  if (parser.isName() && !parser.isName('on'))
    return node({ Name: parser.next().text, Directives: parser.directives(false) })
  return node({
    TypeCondition: parser.skipName('on') ? parser.expectName() : '',
    Directives: parser.directives(false),
    SelectionSet: selections(parser),
  })
}

/** Steps for each character: documents cost more than text. */
const charactersPerStep = 8

function reader(name: string, read: (text: string) => RegoObject): Builtin {
  return define(name, [t.string], t.object(), (args, context) => {
    const text = stringAt(args, 0)
    context.step(Math.ceil(text.length / charactersPerStep))
    return read(text)
  })
}

export const graphql: readonly Builtin[] = [
  reader('graphql.parse_query', parseQuery),
  reader('graphql.parse_schema', parseSchema),
]
