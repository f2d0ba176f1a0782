import assert from 'node:assert/strict'
import { RegoSet, setOf } from '../../../src/rego/value.js'
import { call, checkAll, context } from './call.js'

// Expected: OPA's documentation of each function and Go's package strings.
describe('rego strings', () => {
  checkAll([
    ['concat', '[",", ["a", "b"]]', '"a,b"'],
    ['concat', ['/', setOf(['b', 'a'])], '"a/b"'],
    [
      'concat',
      '[",", [1]]',
      '!concat: operand 2 must be array of strings but got array containing number',
    ],
    ['contains', '["hello", "ell"]', 'true'],
    ['startswith', '["hello", "he"]', 'true'],
    ['endswith', '["hello", "he"]', 'false'],
    ['indexof', '["\\ud83d\\ude00bc", "c"]', '2'],
    ['indexof', '["abc", "x"]', '-1'],
    ['indexof', '["abc", ""]', '!indexof: empty search character'],
    ['indexof_n', '["aaa", "aa"]', '[0, 1]'],
    ['indexof_n', '["sad", "x"]', '[]'],
    ['substring', '["\\u00e5\\u00e4\\u00f6\\ud83d\\ude00x", 2, 2]', '"ö😀"'],
    ['substring', '["hello", 2, -1]', '"llo"'],
    ['substring', '["hello", 9, 1]', '""'],
    ['substring', '["hello", -1, 1]', '!substring: negative offset'],
    ['lower', '["\\u00c9\\u0130\\u03a3"]', '"éiσ"'],
    ['upper', '["stra\\u00dfe\\u00e9"]', '"STRAßEÉ"'],
    ['replace', '["aXbX", "X", "--"]', '"a--b--"'],
    ['replace', '["ab", "", "-"]', '"-a-b-"'],
    ['strings.replace_n', '[{"f": "x", "foo": "xxx"}, "foobar"]', '"xoobar"'],
    ['strings.replace_n', '[{"<": "&lt;", ">": "&gt;"}, "<b>"]', '"&lt;b&gt;"'],
    [
      'strings.replace_n',
      '[{"a": 1}, "a"]',
      '!strings.replace_n: operand 1 non-string value found in pattern object',
    ],
    ['strings.reverse', '["a\\ud83d\\ude00b"]', '"b😀a"'],
    ['split', '["a,b,c", ","]', '["a", "b", "c"]'],
    ['split', '["\\u00e5b", ""]', '["å", "b"]'],
    ['split', '["abc", ","]', '["abc"]'],
    ['trim', '["  lorem ipsum ", " "]', '"lorem ipsum"'],
    ['trim_left', '["xxayx", "xy"]', '"ayx"'],
    ['trim_right', '["xxayx", "xy"]', '"xxa"'],
    ['trim_prefix', '["foobar", "foo"]', '"bar"'],
    ['trim_suffix', '["foobar", "bar"]', '"foo"'],
    ['trim_space', '["\\u0085\\u00a0 x\\n"]', '"x"'],
    ['strings.count', '["cheese", "e"]', '3'],
    ['strings.count', '["five", ""]', '5'],
    ['strings.any_prefix_match', '[["a/b", "e/f"], ["e"]]', 'true'],
    ['strings.any_suffix_match', '["foo/bar.go", ".ts"]', 'false'],
    [
      'strings.any_prefix_match',
      '["a", 1]',
      '!strings.any_prefix_match: operand 2 must be one of {string, set, array} but got number',
    ],
    [
      'strings.any_suffix_match',
      '["a", [1]]',
      '!strings.any_suffix_match: operand 2 must be array of strings but got array containing number',
    ],
    ['sprintf', '["%s is %d and %v", ["a", 1, [1, "x"]]]', '"a is 1 and [1, \\"x\\"]"'],
    ['sprintf', '["%v %v %v", [true, null, {"a": 1.5}]]', '"true null {\\"a\\": 1.5}"'],
    ['sprintf', '["%d", [1.0]]', '"%!d(float64=1)"'],
    ['sprintf', '["%d", [18446744073709551616]]', '"18446744073709551616"'],
    ['sprintf', '["%.2f", [3.14159]]', '"3.14"'],
    ['sprintf', '["%v", [1e400]]', '"1e400"'],
    [
      'internal.template_string',
      [['a ', setOf([1]), ' ', RegoSet.empty]],
      '"a 1 <undefined>"',
    ],
    ['regex.match', '["^a+$", "aaa"]', 'true'],
    [
      'regex.match',
      '["[", "a"]',
      '!regex.match: error parsing regexp: missing closing ]: `[`',
    ],
    ['regex.is_valid', '["(?=a)"]', 'false'],
    ['regex.is_valid', '["a{2,3}"]', 'true'],
    ['regex.split', '["a+", "banana"]', '["b", "n", "n", ""]'],
    ['regex.split', '["", "abc"]', '["a", "b", "c"]'],
    ['regex.find_n', '["[oa]+", "foo ba oo", 2]', '["oo", "a"]'],
    ['regex.find_n', '["a*", "baaab", -1]', '["", "aaa", ""]'],
    ['regex.find_n', '["x", "a", 0]', '[]'],
    [
      'regex.find_all_string_submatch_n',
      '["a(x*)b(y|z)?c", "-axxxbyc-abzc-", -1]',
      '[["axxxbyc", "xxx", "y"], ["abzc", "", "z"]]',
    ],
    [
      'regex.find_all_string_submatch_n',
      '["a(x*)b(y|z)?c", "-abc-", 1]',
      '[["abc", "", ""]]',
    ],
    ['regex.replace', '["-ab-axxb-", "a(x*)b", "${1}W"]', '"-W-xxW-"'],
    ['regex.replace', '["-ab-axxb-", "a(x*)b", "$1W"]', '"---"'],
    ['regex.replace', '["abc", "(?P<first>a)", "<$first$$>"]', '"<a$>bc"'],
    ['regex.replace', '["baaac", "a*", "-"]', '"-b-c-"'],
    ['regex.template_match', '["urn:foo:{.*}", "urn:foo:bar:baz", "{", "}"]', 'true'],
    [
      'regex.template_match',
      '["urn:foo:{.*", "urn", "{", "}"]',
      '!regex.template_match: unbalanced braces in "urn:foo:{.*"',
    ],
    [
      'regex.template_match',
      '["a", "a", "{{", "}"]',
      '!regex.template_match: start delimiter has to be exactly one character long but is 2 long',
    ],
    // Both match abab99z.
    ['regex.globs_match', '["a.a.[0-9]+z", ".b.b9[0-9]+z"]', 'true'],
    ['regex.globs_match', '["a.a.", ".b.b"]', 'true'],
    ['regex.globs_match', '["[a-z]*", "[0-9]+"]', 'false'],
    ['regex.globs_match', '["a*", "b*"]', 'false'],
    ['regex.globs_match', '["ab.*", ".*c"]', 'true'],
    [
      'regex.globs_match',
      '["pqrs]", "a"]',
      "!regex.globs_match: input:pqrs], pos:5, set-close ']' with no preceding '[': the input provided is invalid",
    ],
    ['glob.match', '["*.github.com", [], "api.github.com"]', 'true'],
    ['glob.match', '["*.github.com", ["."], "a.b.github.com"]', 'false'],
    ['glob.match', '["*hub.com", null, "api.cdn.github.com"]', 'true'],
    ['glob.match', '["*:github:com", [":"], "api:github:com"]', 'true'],
    ['glob.match', '["api.**.com", ["."], "api.cdn.github.com"]', 'true'],
    ['glob.match', '["?at", [], "cat"]', 'true'],
    ['glob.match', '["?at", [], "at"]', 'false'],
    ['glob.match', '["[!a-c]at", [], "lat"]', 'true'],
    ['glob.match', '["{cat,bat,[fr]at}", [], "rat"]', 'true'],
    ['glob.match', '["\\\\*.x", [], "*.x"]', 'true'],
    ['glob.match', '["[]a", [], "a"]', '!glob.match: could not parse range'],
    ['glob.quote_meta', '["*.github.com"]', '"\\\\*.github.com"'],
  ])

  it('pays for the text that sprintf makes', () => {
    assert.throws(() => call('sprintf', ['%1000000d', [1]], context(100)), /out of steps/)
  })

  it('matches in time linear in the text, whatever the pattern', () => {
    const text = 'a'.repeat(20_000) + 'b'
    assert.equal(call('regex.match', ['^(a+)+$', text]), false)
    assert.equal(call('regex.match', ['(a|a)*c', text]), false)
  })
})
