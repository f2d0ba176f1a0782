import assert from 'node:assert/strict'
import { readNamedIds } from '../../src/providers/named-ids.js'

const read = (fields: Record<string, string>) =>
  readNamedIds(new Map(Object.entries(fields)))

describe('the ids that a client gives', () => {
  it('YORI reads session, agent and tags under both names', () => {
    const { sessionId, agentId, tags } = read({
      'x-yori-session-id': 'run-1',
      'x-cylestio-session-id': 'other',
      'x-cylestio-agent-id': 'support/bot:2',
      'x-yori-tags': 'team:web, env:a:b ,beta,team:again',
    })
    assert.equal(sessionId, 'run-1')
    assert.equal(agentId, 'support/bot:2')
    assert.deepEqual(
      [...(tags ?? [])],
      [
        ['team', 'web'],
        ['env', 'a:b'],
        ['beta', ''],
      ],
    )
    assert.equal(read({ 'x-yori-conversation-id': 'c' }).sessionId, 'c')
    assert.equal(read({ 'x-cylestio-prompt-id': 'p' }).agentId, 'p')
  })

  it('YORI takes no id that is not fit to be shown', () => {
    for (const id of ['', ' ', 'a b', 'x\u00e9', '<b>', 'a'.repeat(129)])
      assert.deepEqual(read({ 'x-yori-session-id': id }), {})
  })

  it('YORI keeps 50 tags of 64 and 512 characters', () => {
    const many = Array.from({ length: 60 }, (_, i) => `k${i}:v`).join(',')
    assert.equal(read({ 'x-yori-tags': many }).tags?.size, 50)
    const longest = `${'k'.repeat(64)}:${'v'.repeat(512)}`
    assert.equal(read({ 'x-yori-tags': longest }).tags?.size, 1)
    assert.deepEqual(read({ 'x-yori-tags': `${'k'.repeat(65)}:v` }), {})
    assert.deepEqual(read({ 'x-yori-tags': `k:${'v'.repeat(513)}` }), {})
    assert.deepEqual(read({ 'x-yori-tags': ',:v,' }), {})
    assert.deepEqual(readNamedIds(undefined), {})
  })
})
