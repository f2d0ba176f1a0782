import assert from 'node:assert/strict'
import { objectOf } from '../../../src/rego/value.js'
import { call, checkAll, context } from './call.js'

// Expected: Go's documentation of text/template, and what OPA makes of missing keys.
describe('rego templates', () => {
  checkAll([
    ['strings.render_template', '["Hello {{.name}}!", {"name": "x"}]', '"Hello x!"'],
    [
      'strings.render_template',
      '["{{.a}} {{.b}} {{.c}}", {"c": 1}]',
      '"<undefined> <undefined> 1"',
    ],
    [
      'strings.render_template',
      '["{{range .xs}}<{{.}}>{{end}}", {"xs": ["a", 2]}]',
      '"<a><2>"',
    ],
    [
      'strings.render_template',
      '["{{range $i, $x := .xs}}{{$i}}={{$x}};{{else}}none{{end}}", {"xs": {"k": "v"}}]',
      '"k=v;"',
    ],
    [
      'strings.render_template',
      '["{{range .xs}}x{{else}}none{{end}}", {"xs": []}]',
      '"none"',
    ],
    [
      'strings.render_template',
      '["{{if .a}}A{{else if .b}}B{{else}}C{{end}}", {"a": "", "b": true}]',
      '"B"',
    ],
    [
      'strings.render_template',
      '["{{with .a}}{{.b}}{{end}}", {"a": {"b": "deep"}}]',
      '"deep"',
    ],
    [
      'strings.render_template',
      '["{{range .xs}}{{$.sep}}{{.}}{{end}}", {"xs": ["a", "b"], "sep": "-"}]',
      '"-a-b"',
    ],
    ['strings.render_template', '["a {{- .x -}} b", {"x": 1}]', '"a1b"'],
    ['strings.render_template', '["{{/* a comment */}}{{\\"}}\\"}}", {}]', '"}}"'],
    [
      'strings.render_template',
      '["{{printf \\"%q %03d\\" .s 7}} {{len .xs}} {{index .xs 1}}", {"s": "q", "xs": ["a", "b"]}]',
      '"\\"q\\" 007 2 b"',
    ],
    [
      'strings.render_template',
      '["{{.xs}} {{.m}}", {"xs": [1, "a"], "m": {"b": 2, "a": true}}]',
      '"[1 a] map[a:true b:2]"',
    ],
    [
      'strings.render_template',
      '["{{$x := .a}}{{if and .a (eq $x \\"v\\")}}{{$x | html}}{{end}}", {"a": "v"}]',
      '"v"',
    ],
    ['strings.render_template', '["{{not .a}} {{or .a \\"d\\"}}", {}]', '"true d"'],
    [
      'strings.render_template',
      '["{{.a.b}}", {}]',
      '!strings.render_template: template: template:1: nil pointer evaluating interface {}.b',
    ],
    [
      'strings.render_template',
      '["{{nope .a}}", {}]',
      '!strings.render_template: template: template:1: function "nope" not defined',
    ],
    [
      'strings.render_template',
      '["{{if .a}}", {}]',
      '!strings.render_template: template: template:1: unexpected EOF',
    ],
    [
      'strings.render_template',
      '["{{.a", {}]',
      '!strings.render_template: template: template:1: unclosed action',
    ],
    [
      'strings.render_template',
      '["{{template \\"x\\"}}", {}]',
      '!strings.render_template: template: template:1: {{template}} is not supported',
    ],
  ])

  it('pays for what it writes', () => {
    const xs = Array.from({ length: 1000 }, () => 'a'.repeat(1000))
    const vars = objectOf([['xs', xs]])
    const template = '{{range $x := .xs}}{{range $.xs}}{{.}}{{end}}{{end}}'
    assert.throws(
      () => call('strings.render_template', [template, vars], context(1000)),
      /out of steps/,
    )
  })
})
