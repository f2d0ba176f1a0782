/** Messages of MCP: what two parsers could take for different things is not read. */
import assert from 'node:assert/strict'
import { ToolRules } from '../../src/policy/mcp-tools.js'
import { atOnce } from '../../src/core/resting.js'
import { JSON_LIMITS } from '../../src/json/json-bounds.js'
import { MAX_BATCH, readMcp } from '../../src/providers/mcp-message.js'

const read = (text: string | Buffer) => atOnce(readMcp(Buffer.from(text), JSON_LIMITS))
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wipe"}}'

describe('a message of MCP', () => {
  it('says what it calls, however it is written', () => {
    for (const text of [
      CALL,
      CALL.replace('"name"', '"NAME"').replace('"method"', '"Method"'),
      CALL.replace('"params"', '"param\\u0073"'),
      // The long s and the Kelvin sign are letters that servers in Go fold.
      CALL.replace('"params"', '"param\u017f"'),
      CALL.replace('tools/call', 'TOOLS/Call'),
    ]) {
      const got = read(text)
      assert.ok(got.kind === 'read', text)
      assert.equal(got.messages[0]?.tool, 'wipe', text)
      assert.equal(got.messages[0]?.id, 1)
    }
  })

  const unread: Readonly<Record<string, string | Buffer>> = {
    'a key twice': CALL.replace('"id":1', '"id":1,"id":2'),
    'a key twice, once escaped': CALL.replace('"id":1', '"id":1,"\\u0069d":2'),
    'a key twice further down': CALL.replace(
      '"wipe"',
      '"wipe","arguments":{"a":1,"a":2}',
    ),
    'a key in two cases': CALL.replace(
      '"id":1',
      '"id":1,"params":{"name":"greet"}',
    ).replace('"params":{"name":"wipe"}', '"Params":{"name":"wipe"}'),
    'bytes that are no UTF-8': Buffer.from(CALL.replace('wipe', 'wip\u00ff'), 'latin1'),
    'a byte order mark': `\ufeff${CALL}`,
    'no JSON': CALL.slice(1),
    nothing: '',
    'an empty list': '[]',
    'a list in a list': `[[${CALL}]]`,
    'a text': '"tools/call"',
    'a tool that is no text': CALL.replace('"wipe"', '1'),
    'params in a list': CALL.replace('{"name":"wipe"}', '["wipe"]'),
    'a method that is no text': CALL.replace('"tools/call"', '["tools/call"]'),
    'too many': `[${Array.from({ length: MAX_BATCH + 1 }, () => '{}').join()}]`,
    'too deep': `{"a":${'['.repeat(80)}${']'.repeat(80)}}`,
  }
  for (const [what, text] of Object.entries(unread)) {
    it(`is not read: ${what}`, () => assert.equal(read(text).kind, 'unread'))
  }
})

describe('rules of tools', () => {
  it('the name as it stands, then as servers may take it, then the rest', () => {
    const rules = new ToolRules([
      ['read', 'allow'],
      ['Delete', 'allow'],
      ['delete', 'deny'],
      ['ＳＥＮＤ', 'ask'],
      ['*', 'deny'],
    ])
    assert.equal(rules.of('read'), 'allow')
    assert.equal(rules.of('READ'), 'allow')
    assert.equal(rules.of('Delete'), 'allow')
    assert.equal(rules.of('DELETE'), 'deny')
    assert.equal(rules.of('send\u200b'), 'ask')
    assert.equal(rules.of('else'), 'deny')
    assert.equal(rules.of('constructor'), 'deny')
    assert.equal(new ToolRules([]).of('constructor'), 'allow')
  })
})
