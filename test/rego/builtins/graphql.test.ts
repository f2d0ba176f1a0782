import { checkAll } from './call.js'

// Documents of the GraphQL specification (October 2021), trees in gqlparser's member names.
describe('rego graphql', () => {
  checkAll([
    [
      'graphql.parse_query',
      '["{ smallPic: profilePic(size: 64) }"]',
      '{"Operations": [{"Name": "", "Operation": "query", "SelectionSet": [{"Alias": "smallPic", "Arguments": [{"Name": "size", "Value": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "64"}}], "Name": "profilePic"}]}]}',
    ],
    [
      'graphql.parse_query',
      '["query q($l: [Int!] = [1, 2]) { ...f ... on T @skip(if: true) { a } }"]',
      '{"Operations": [{"Name": "q", "Operation": "query", "SelectionSet": [{"Name": "f"}, {"Directives": [{"Arguments": [{"Name": "if", "Value": {"ExpectedTypeHasDefault": false, "Kind": 5, "Raw": "true"}}], "Location": "", "Name": "skip"}], "SelectionSet": [{"Alias": "a", "Name": "a"}], "TypeCondition": "T"}], "VariableDefinitions": [{"DefaultValue": {"Children": [{"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "1"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "2"}}], "ExpectedTypeHasDefault": false, "Kind": 8, "Raw": ""}, "Type": {"Elem": {"NamedType": "Int", "NonNull": true}, "NamedType": "", "NonNull": false}, "Used": false, "Variable": "l"}]}]}',
    ],
    [
      'graphql.parse_query',
      '["{ f(s: \\"\\"\\"\\n    Hello,\\n      World!\\n  \\"\\"\\") }"]',
      '{"Operations": [{"Name": "", "Operation": "query", "SelectionSet": [{"Alias": "f", "Arguments": [{"Name": "s", "Value": {"ExpectedTypeHasDefault": false, "Kind": 4, "Raw": "Hello,\\n  World!"}}], "Name": "f"}]}]}',
    ],
    ['graphql.parse_query', '[""]', '{}'],
    [
      'graphql.parse_query',
      '["{ a"]',
      '!graphql.parse_query: Expected }, found <EOF> in GraphQL string at location 1:4',
    ],
    [
      'graphql.parse_query',
      '["{ f(a: \\"x) }"]',
      '!graphql.parse_query: Unterminated string in GraphQL string at location 1:13',
    ],
    [
      'graphql.parse_query',
      '["{ a? }"]',
      '!graphql.parse_query: Cannot parse the unexpected character "?" in GraphQL string at location 1:4',
    ],
    [
      'graphql.parse_query',
      '["fragment on on on { a }"]',
      '!graphql.parse_query: Unexpected Name "on" in GraphQL string at location 1:10',
    ],
    [
      'graphql.parse_schema',
      '["union SearchResult = Photo | Person"]',
      '{"Definitions": [{"BuiltIn": false, "Description": "", "Kind": "UNION", "Name": "SearchResult", "Types": ["Photo", "Person"]}]}',
    ],
    [
      'graphql.parse_schema',
      '["enum Direction { NORTH EAST @deprecated }"]',
      '{"Definitions": [{"BuiltIn": false, "Description": "", "EnumValues": [{"Description": "", "Name": "NORTH"}, {"Description": "", "Directives": [{"Location": "", "Name": "deprecated"}], "Name": "EAST"}], "Kind": "ENUM", "Name": "Direction"}]}',
    ],
    [
      'graphql.parse_schema',
      '["directive @d(a: Int = 1) repeatable on FIELD | QUERY"]',
      '{"Directives": [{"Arguments": [{"DefaultValue": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "1"}, "Description": "", "Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}], "Description": "", "IsRepeatable": true, "Locations": ["FIELD", "QUERY"], "Name": "d"}]}',
    ],
    [
      'graphql.parse_schema',
      '["input Point2D { x: Float y: Float! = 1.5 }"]',
      '{"Definitions": [{"BuiltIn": false, "Description": "", "Fields": [{"Description": "", "Name": "x", "Type": {"NamedType": "Float", "NonNull": false}}, {"DefaultValue": {"ExpectedTypeHasDefault": false, "Kind": 2, "Raw": "1.5"}, "Description": "", "Name": "y", "Type": {"NamedType": "Float", "NonNull": true}}], "Kind": "INPUT_OBJECT", "Name": "Point2D"}]}',
    ],
    [
      'graphql.parse_schema',
      '["extend type A implements B\\n extend type A implements C"]',
      '{"Extensions": [{"BuiltIn": false, "Description": "", "Interfaces": ["B"], "Kind": "OBJECT", "Name": "A"}, {"BuiltIn": false, "Description": "", "Interfaces": ["C"], "Kind": "OBJECT", "Name": "A"}]}',
    ],
    [
      'graphql.parse_schema',
      '["extend interface A implements B extend interface A implements & C & D"]',
      '{"Extensions": [{"BuiltIn": false, "Description": "", "Interfaces": ["B"], "Kind": "INTERFACE", "Name": "A"}, {"BuiltIn": false, "Description": "", "Interfaces": ["C", "D"], "Kind": "INTERFACE", "Name": "A"}]}',
    ],
    [
      'graphql.parse_schema',
      '["type A implements B type C implements D scalar E"]',
      '{"Definitions": [{"BuiltIn": false, "Description": "", "Interfaces": ["B"], "Kind": "OBJECT", "Name": "A"}, {"BuiltIn": false, "Description": "", "Interfaces": ["D"], "Kind": "OBJECT", "Name": "C"}, {"BuiltIn": false, "Description": "", "Kind": "SCALAR", "Name": "E"}]}',
    ],
    [
      'graphql.parse_schema',
      '["extend type A implements B @d extend union U = X extend union U = Y"]',
      '{"Extensions": [{"BuiltIn": false, "Description": "", "Directives": [{"Location": "", "Name": "d"}], "Interfaces": ["B"], "Kind": "OBJECT", "Name": "A"}, {"BuiltIn": false, "Description": "", "Kind": "UNION", "Name": "U", "Types": ["X"]}, {"BuiltIn": false, "Description": "", "Kind": "UNION", "Name": "U", "Types": ["Y"]}]}',
    ],
    [
      'graphql.parse_schema',
      '["type A implements B C { d: E }"]',
      '!graphql.parse_schema: Unexpected Name "C" in GraphQL string at location 1:21',
    ],
    [
      'graphql.parse_schema',
      '["extend type A extend type A"]',
      '!graphql.parse_schema: Unexpected Name "extend" in GraphQL string at location 1:15',
    ],
    [
      'graphql.parse_schema',
      '["\\"D\\" extend type A @d"]',
      '!graphql.parse_schema: Unexpected String "D" in GraphQL string at location 1:2',
    ],
    [
      'graphql.parse_schema',
      '["enum E { true }"]',
      '!graphql.parse_schema: Unexpected Name "true" in GraphQL string at location 1:10',
    ],
    [
      'graphql.parse_schema',
      '["type T {}"]',
      '!graphql.parse_schema: expected at least one definition, found } in GraphQL string at location 1:9',
    ],
  ])

  checkAll([
    [
      'graphql.parse_query',
      [`{ f(a: ${'['.repeat(300)}`],
      '!graphql.parse_query: nested too deeply in GraphQL string at location 1:206',
    ],
  ])
})
