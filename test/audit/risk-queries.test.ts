/** What checks of risks are given out of a record: of each agent its own, and no more. */
import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import { readRiskFacts } from '../../src/audit/risk-queries.js'
import { assess } from '../../src/risks/assess.js'
import { closed, startStore, temporaryFolder } from './support.js'

const AT = Date.parse('2026-03-04T10:00:00Z')

describe('facts for checks of risks', () => {
  it('are those of each agent, since a moment', async () => {
    using folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const add = (requestId: string, fields: Parameters<typeof closed>[0]): void => {
      const row = closed({ requestId, startedAt: AT, call: true, ...fields })
      store.exchangeOpened(row)
      store.exchangeClosed(row)
    }
    const one = { agentId: 'one', sessionId: 's' }
    add('a', { ...one, inputTokens: 30, outputTokens: 12, toolCalls: ['x', 'y'] })
    add('b', {
      ...one,
      startedAt: AT + 120_000,
      toolCalls: ['x'],
      toolsOffered: ['x', 'z'],
    })
    add('c', {
      ...one,
      startedAt: AT + 60_000,
      findings: [{ kind: 'GITHUB_TOKEN', count: 2 }],
      policyName: 'destructive_tools',
      policyDecision: 'deny',
      reason: 'rm -rf /',
    })
    add('d', { agentId: 'other', sessionId: 's', inputTokens: 999 })
    add('e', { ...one, startedAt: AT - 1, inputTokens: 999 })
    add('f', { ...one, policyName: 'destructive_tools', policyDecision: 'allow' })
    await store.flush()
    const db = new Sqlite(folder.database, { readonly: true })
    try {
      const factsOf = readRiskFacts(db, ['one', 'nobody'], AT)
      const { sessions, calls, offered, findings, judged } = factsOf('one')
      assert.equal(sessions.length, 1)
      const [{ tokens = 0, minutes = 0, request = '', tools = [] } = {}] = sessions
      assert.deepEqual([tokens, Math.round(minutes), request], [42, 2, 'b'])
      assert.deepEqual([...tools].toSorted(), ['x', 'x', 'y'])
      assert.deepEqual([calls, [...offered].toSorted()], [4, ['x', 'z']])
      assert.deepEqual(findings, [
        { request: 'c', session: 's', name: 'GITHUB_TOKEN', reason: '' },
      ])
      assert.deepEqual(
        judged.map(({ request, reason }) => [request, reason]),
        [['c', 'rm -rf /']],
      )
      const told = assess(factsOf('one')).checks.filter(
        ({ status }) => status === 'critical',
      )
      assert.deepEqual(
        told.map(({ id, evidence }) => [id, evidence]),
        [
          ['SECRET_001', ['c']],
          ['TOOL_001', ['c']],
        ],
      )
      assert.equal(factsOf('nobody').calls, 0)
      assert.equal(readRiskFacts(db, [], AT)('one').calls, 0)
    } finally {
      db.close()
    }
  })
})
