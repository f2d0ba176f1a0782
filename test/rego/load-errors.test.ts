/** What is refused when a policy is loaded: code, line, column and the words of the message. */
import assert from 'node:assert/strict'
import { compileModules } from '../../src/rego/index.js'

interface Fixture {
  readonly title: string
  readonly text: string
  readonly code: string
  readonly line: number
  readonly message: RegExp
}

const fixtures: readonly Fixture[] = [
  {
    title: 'a missing package',
    text: 'p := 1',
    code: 'rego_parse_error',
    line: 1,
    message: /expected `package`/,
  },
  {
    title: 'an open brace',
    text: 'package t\np if {\n x := 1',
    code: 'rego_parse_error',
    line: 3,
    message: /found|expected/,
  },
  {
    title: 'a body without if',
    text: 'package t\np { true }',
    code: 'rego_parse_error',
    line: 2,
    message: /`if`/,
  },
  {
    title: 'an open string',
    text: 'package t\np := "abc',
    code: 'rego_parse_error',
    line: 2,
    message: /non-terminated string/,
  },
  {
    title: 'an illegal character',
    text: 'package t\np := 1 ~ 2',
    code: 'rego_parse_error',
    line: 2,
    message: /illegal character '~'/,
  },
  {
    title: 'two statements on a line',
    text: 'package t\np if { x := 1 y := 2 }',
    code: 'rego_parse_error',
    line: 2,
    message: /new line/,
  },
  {
    title: 'an unsafe variable',
    text: 'package t\np if {\n  x > 1\n}',
    code: 'rego_unsafe_var_error',
    line: 3,
    message: /var x is unsafe/,
  },
  {
    title: 'an unsafe variable of the head',
    text: 'package t\np := x if true',
    code: 'rego_unsafe_var_error',
    line: 2,
    message: /var x is unsafe/,
  },
  {
    title: 'an unsafe variable in a negation',
    text: 'package t\np if not input.x[i]',
    code: 'rego_unsafe_var_error',
    line: 2,
    message: /var i is unsafe/,
  },
  {
    title: 'a comparison that would have to bind',
    text: 'package t\np if x == 1',
    code: 'rego_unsafe_var_error',
    line: 2,
    message: /var x is unsafe/,
  },
  {
    title: 'a rule that needs itself',
    text: 'package t\np if q\nq if p',
    code: 'rego_recursion_error',
    line: 2,
    message: /data\.t\.p -> data\.t\.q -> data\.t\.p/,
  },
  {
    title: 'a function that needs itself',
    text: 'package t\nf(x) := f(x - 1)',
    code: 'rego_recursion_error',
    line: 2,
    message: /recursive/,
  },
  {
    title: 'recursion through a key',
    text: 'package t\np if data.t[x]',
    code: 'rego_recursion_error',
    line: 2,
    message: /recursive/,
  },
  {
    title: 'an unknown function',
    text: 'package t\np := nope(1)',
    code: 'rego_type_error',
    line: 2,
    message: /undefined function nope/,
  },
  {
    title: 'an unknown function of a package',
    text: 'package t\np := data.t.f(1)',
    code: 'rego_type_error',
    line: 2,
    message: /undefined function data\.t\.f/,
  },
  {
    title: 'a built-in that is not supported',
    text: 'package t\np := http.send({})',
    code: 'rego_type_error',
    line: 2,
    message: /http\.send is not supported/,
  },
  {
    title: 'a wrong number of arguments',
    text: 'package t\np := count(1, 2, 3)',
    code: 'rego_type_error',
    line: 2,
    message: /count has arity 1, got 3/,
  },
  {
    title: 'rules of two kinds',
    text: 'package t\np := 1\np contains 2',
    code: 'rego_type_error',
    line: 3,
    message: /conflicting rules data\.t\.p/,
  },
  {
    title: 'functions of two arities',
    text: 'package t\nf(x) := 1\nf(x, y) := 2',
    code: 'rego_type_error',
    line: 3,
    message: /conflicting rules/,
  },
  {
    title: 'a rule below a value',
    text: 'package t\np := 1\np.q := 2',
    code: 'rego_type_error',
    line: 2,
    message: /conflicts with data\.t\.p\.q/,
  },
  {
    title: 'two defaults',
    text: 'package t\ndefault p := 1\ndefault p := 2',
    code: 'rego_type_error',
    line: 3,
    message: /multiple default/,
  },
  {
    title: 'a default that is worked out',
    text: 'package t\ndefault p := input.x',
    code: 'rego_parse_error',
    line: 2,
    message: /default/,
  },
  {
    title: 'a variable assigned twice',
    text: 'package t\np if { x := 1; x := 2 }',
    code: 'rego_compile_error',
    line: 2,
    message: /var x/,
  },
  {
    title: 'a variable used before it is assigned',
    text: 'package t\np if { y = x; x := 1 }',
    code: 'rego_compile_error',
    line: 2,
    message: /var x referenced above/,
  },
  {
    title: 'an unknown target of with',
    text: 'package t\np if true with foo as 1',
    code: 'rego_type_error',
    line: 2,
    message: /foo/,
  },
  {
    title: 'an import of nothing',
    text: 'package t\nimport foo.bar',
    code: 'rego_parse_error',
    line: 2,
    message: /import/,
  },
  {
    title: 'a rule that reaches itself by a key spelled otherwise',
    text: 'package t\np[1.50] := x if { x := data.t.p[1.5] }',
    code: 'rego_recursion_error',
    line: 2,
    message: /data.t.p/,
  },
  {
    title: 'a rule that reaches itself by a key that is a collection',
    text: 'package t\np[[1]] := x if { x := data.t.p[[1]] }',
    code: 'rego_recursion_error',
    line: 2,
    message: /data.t.p/,
  },
  {
    title: 'else on a set',
    text: 'package t\np contains 1 if false else := 2',
    code: 'rego_parse_error',
    line: 2,
    message: /else/,
  },
]

describe('Rego at load', () => {
  for (const { title, text, code, line, message } of fixtures) {
    it(`refuses ${title}`, () => {
      const compiled = compileModules([{ name: 't.rego', text }])
      assert.equal(compiled.kind, 'invalid')
      const [error] = compiled.errors
      assert.deepEqual(
        { code: error?.code, line: error?.line, file: error?.file },
        { code, line, file: 't.rego' },
      )
      assert.match(error?.message ?? '', message)
      assert.ok((error?.column ?? 0) >= 1)
    })
  }

  it('reports every module and rule that is wrong', () => {
    const compiled = compileModules([
      { name: 'a.rego', text: 'package a\np := x if true\nq := nope(1)' },
      { name: 'b.rego', text: 'package b\np := y if true' },
    ])
    assert.equal(compiled.kind, 'invalid')
    assert.deepEqual(
      compiled.errors.map(({ file, line }) => [file, line]),
      [
        ['a.rego', 2],
        ['a.rego', 3],
        ['b.rego', 2],
      ],
    )
  })

  it('reads v0 where it is asked to', () => {
    const text = 'package t\np[x] { x = [1, 2][_] }\nq = 1 { true }\nr { not q == 2 }'
    const compiled = compileModules([{ name: 't.rego', text }], { version: 'v0' })
    assert.equal(compiled.kind, 'ok')
    const result = compiled.policy.query('data.t.p[1]; data.t.q == 1; data.t.r')
    assert.equal(result.kind === 'rows' ? result.rows.length : 0, 1)
  })

  it('reads a v0 module with rego.v1 imported as v1', () => {
    const text = 'package t\nimport rego.v1\np contains 1 if true'
    const compiled = compileModules([{ name: 't.rego', text }], { version: 'v0' })
    assert.equal(compiled.kind, 'ok')
  })
})
