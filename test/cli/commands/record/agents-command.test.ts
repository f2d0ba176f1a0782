import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { auditDefaults } from '../../../../src/audit/store-options.js'
import { agentsCommand } from '../../../../src/cli/commands/record/agents-command.js'
import type { TemporaryFolder } from '../../../audit/support.js'
import { closed, startStore, temporaryFolder } from '../../../audit/support.js'

const NOW = Date.UTC(2026, 10, 20, 12)

/** Runs `yori agents WORDS` and returns what it printed. */
async function agents(database: string, ...words: readonly string[]): Promise<string> {
  const stdout = new PassThrough()
  const printed = text(stdout)
  const command = agentsCommand({
    auditOptions: () => ({ ...auditDefaults, database }),
    stdout,
    clock: { now: () => NOW, monotonic: () => 0 },
  })
  await command.parseAsync(words, { from: 'user' })
  stdout.end()
  return printed
}

describe('yori agents', () => {
  let folder: TemporaryFolder
  before(async () => {
    folder = temporaryFolder()
    await using store = await startStore(folder.database)
    const add = (requestId: string, fields: Parameters<typeof closed>[0]): void => {
      const row = closed({ requestId, startedAt: NOW - 60_000, call: true, ...fields })
      store.exchangeOpened(row)
      store.exchangeClosed(row)
    }
    for (let n = 0; n < 5; n++)
      add(`calm-${n}`, { agentId: 'calm', sessionId: `c${n}`, inputTokens: 10 })
    add('leaks', {
      agentId: 'lea\u001bky',
      sessionId: 'l',
      findings: [{ kind: 'OPENAI_API_KEY', count: 1 }],
    })
    add('old', { agentId: 'old', sessionId: 'o', startedAt: NOW - 40 * 86_400_000 })
    await store.flush()
  })
  after(() => folder[Symbol.dispose]())

  it('lists them with their risk', async () => {
    const printed = await agents(folder.database, 'list')
    assert.match(printed, /calm +5 +5 +50 +0 +ok \(0\)/)
    assert.match(printed, /warning \(30\)/)
    assert.doesNotMatch(printed, /old/)
    assert.equal(printed.includes('\u001b'), false)
    assert.match(await agents(folder.database, 'list', '--days', '60'), /old/)
    const told = JSON.parse(await agents(folder.database, 'list', '--json')) as {
      id: string
      risk: object
    }[]
    const calm = told.find(({ id }) => id === 'calm')
    assert.deepEqual(calm?.risk, { status: 'ok', score: 0 })
  })

  it('shows one with what its checks rest on, and what no traffic shows', async () => {
    const printed = await agents(folder.database, 'show', 'lea\u001bky')
    assert.match(printed, /critical +SECRET_001 +LLM02 .*OPENAI_API_KEY\n +leaks\n/)
    assert.match(printed, /LLM09 {2}whether what a model says is true/)
    const { risk } = JSON.parse(
      await agents(folder.database, 'show', 'calm', '--json'),
    ) as { risk: { checks: { status: string }[]; notVisible: unknown[] } }
    assert.equal(risk.notVisible.length, 5)
    const results = new Set(risk.checks.map(({ status }) => status))
    assert.deepEqual(results, new Set(['passed', 'not_enough']))
  })

  it('says where to look when there is no such agent', async () => {
    await assert.rejects(
      agents(folder.database, 'show', 'nobody'),
      /no agent nobody is recorded; yori agents list tells which are/,
    )
  })
})
