import assert from 'node:assert/strict'
import {
  RegexLimitError,
  RegexSyntaxError,
  expandTemplate,
  re2Engine,
} from '../../src/rego/regex.js'

describe('rego regular expressions', () => {
  it('remembers as many patterns as its limit allows, the last used longest', () => {
    const spent: string[] = []
    const engine = re2Engine({ maxCached: 2 })
    const compile = (pattern: string) =>
      engine.compile(pattern, () => spent.push(pattern))
    for (const pattern of ['a', 'b', 'a', 'c', 'a', 'b']) compile(pattern)
    assert.deepEqual(spent, ['a', 'b', 'c', 'b'])
  })

  it('refuses patterns over its limits', () => {
    const engine = re2Engine({ maxPatternLength: 10, maxProgramSize: 50 })
    assert.throws(() => engine.compile('a'.repeat(11)), RegexLimitError)
    assert.throws(() => engine.compile('a{500}'), /expression too large/)
    assert.throws(() => re2Engine().compile('(a{1000}){1000}'), RegexSyntaxError)
    assert.throws(() => re2Engine().compile('(?=a)'), RegexSyntaxError)
  })

  it('finds matches that do not overlap, by UTF-16 offsets', () => {
    const found = (pattern: string, text: string) =>
      re2Engine().compile(pattern).findAll(text, -1)
    assert.deepEqual(found('.', '😀x'), [
      [0, 2],
      [2, 3],
    ])
    assert.deepEqual(found('^a|b', 'aab'), [
      [0, 1],
      [2, 3],
    ])
    assert.deepEqual(found('x*', 'ax'), [
      [0, 0],
      [1, 2],
    ])
    assert.deepEqual(found('(a)|(b)', 'b'), [[0, 1, -1, -1, 0, 1]])
  })

  it('fills templates as Go does', () => {
    const regex = re2Engine().compile('(?P<key>\\w+):(\\w+)')
    const text = 'k:v'
    const [match = []] = regex.findAll(text, 1)
    const fill = (template: string) => expandTemplate(template, { regex, text, match })
    assert.equal(fill('$key=${2}'), 'k=v')
    assert.equal(fill('$2x|${2}x|$$|$|${'), '|vx|$|$|${')
    assert.equal(fill('$9'), '')
  })
})
