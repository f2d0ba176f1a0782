import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { Heard } from '../../src/conversations/heard.js'
import type { Unit } from '../../src/providers/body-text.js'
import type { Who } from '../../src/core/who.js'
import type { ResponseFacts } from '../../src/providers/provider.js'

const unit = (text: string, who: Who = 'person'): Unit => ({
  pieces: [{ who, text }],
  joined: [],
})
const RULES = {}

function answer(text: string, more: Partial<ResponseFacts> = {}): ResponseFacts {
  return {
    text,
    textChars: text.length,
    besideText: '',
    toolCalls: [],
    serverTools: [],
    usage: { inputEstimated: false, outputEstimated: false },
    streamed: false,
    events: 0,
    complete: true,
    goesOn: false,
    unread: 0,
    ...more,
  }
}

describe('what was heard in a conversation', () => {
  it('passes once it has passed, in that conversation and by those rules alone', () => {
    const heard = new Heard()
    const before = heard.in('a', RULES)
    assert.equal(atOnce(before.hasPassed(unit('hello'))), false)
    atOnce(before.pass([unit('hello')]))
    assert.equal(atOnce(heard.in('a', RULES).hasPassed(unit('hello'))), true)
    assert.equal(atOnce(heard.in('b', RULES).hasPassed(unit('hello'))), false)
    assert.equal(atOnce(heard.in('a', {}).hasPassed(unit('hello'))), false)
  })

  it('is another message with other words, another author or other parts', () => {
    const before = new Heard().in('a', RULES)
    const both = [unit('one').pieces[0]!, unit('two').pieces[0]!]
    atOnce(before.pass([{ pieces: both, joined: [] }]))
    for (const other of ['one', 'onetwo', 'one\ntwo', 'two'])
      assert.equal(atOnce(before.hasPassed(unit(other))), false, other)
    atOnce(before.pass([unit('one', 'tool')]))
    assert.equal(atOnce(before.hasPassed(unit('one', 'person'))), false)
    assert.equal(atOnce(before.hasPassed(unit('one', 'tool'))), true)
  })

  it("knows the model's lines, its thoughts, its calls and their arguments", () => {
    const heard = new Heard()
    const call = { name: 'read_file', argumentsText: '{"path":"a b.txt","lines":[12]}' }
    const facts = answer('first line\n  second line', {
      besideText: 'a thought\nand another',
      toolCalls: [call],
    })
    heard.said('a', facts)
    const { hasSaid } = heard.in('a', RULES)
    for (const line of [
      'first line',
      'second line ',
      'a thought',
      'and another',
      'read_file',
      'path',
      'a b.txt',
      '12',
      call.argumentsText,
    ])
      assert.ok(hasSaid(line), line)
    assert.ok(!hasSaid('first'))
    assert.ok(!hasSaid('first line second line'))
    assert.ok(!heard.in('b', RULES).hasSaid('first line'))
  })

  it('forgets what was said longest ago, and is asked again then', () => {
    const heard = new Heard({ maxMessages: 2, maxLines: 2 })
    const before = heard.in('a', RULES)
    atOnce(before.pass([unit('1'), unit('2'), unit('1'), unit('3')]))
    assert.deepEqual(
      ['1', '2', '3'].map((text) => atOnce(before.hasPassed(unit(text)))),
      [true, false, true],
    )
    heard.said('a', answer('one\ntwo\nthree'))
    assert.deepEqual(
      ['one', 'two', 'three'].map((line) => before.hasSaid(line)),
      [false, true, true],
    )
  })

  it('keeps of one answer no more than its bound', () => {
    const heard = new Heard()
    heard.said(
      'a',
      answer(Array.from({ length: 5000 }, (_, i) => `line ${i}`).join('\n')),
    )
    const { hasSaid } = heard.in('a', RULES)
    assert.ok(hasSaid('line 4095'))
    assert.ok(!hasSaid('line 4096'))
  })

  it('takes arguments that are no JSON as they were written', () => {
    const heard = new Heard()
    const call = { name: 'patch', argumentsText: '*** Begin\n+ a line' }
    heard.said('a', answer('', { toolCalls: [call] }))
    assert.ok(heard.in('a', RULES).hasSaid('+ a line'))
  })
})
