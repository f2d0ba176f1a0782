import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { auditDefaults } from '../../../../src/audit/store-options.js'
import { MOST_LINES, OTHERS } from '../../../../src/audit/session-queries.js'
import type { SessionLine, Usage } from '../../../../src/audit/session-queries.js'
import { auditCommand } from '../../../../src/cli/commands/record/audit.js'
import type { Conversation } from '../../../../src/cli/commands/record/sessions-text.js'
import {
  sessionsCommand,
  statsCommand,
} from '../../../../src/cli/commands/record/sessions-command.js'
import type { TemporaryFolder } from '../../../audit/support.js'
import { closed, startStore, temporaryFolder } from '../../../audit/support.js'

const NOW = Date.UTC(2026, 10, 20, 12)
const HOUR_MS = 3_600_000
const MINE = '01a1f8fd-9d07-796e-aef8-b52515c5a8a1'

/** Runs `yori WORDS` and returns what it printed. */
async function yori(database: string, words: readonly string[]): Promise<string> {
  const stdout = new PassThrough()
  const printed = text(stdout)
  const deps = {
    auditOptions: () => ({ ...auditDefaults, database }),
    stdout,
    clock: { now: () => NOW, monotonic: () => 0 },
  }
  const [name, ...rest] = words
  const command =
    name === 'audit'
      ? auditCommand(deps)
      : name === 'stats'
        ? statsCommand(deps)
        : sessionsCommand(deps)
  await command.parseAsync(rest, { from: 'user' })
  stdout.end()
  return printed
}

const requestBody = JSON.stringify({
  model: 'gpt-4o-mini',
  messages: [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'sunny\u001b[2J' },
    { role: 'user', content: 'So?' },
  ],
})
const responseBody = JSON.stringify({
  model: 'gpt-4o-mini',
  choices: [{ message: { content: 'It is sunny.\nGo out.' }, finish_reason: 'stop' }],
})

async function recorded(): Promise<TemporaryFolder> {
  const folder = temporaryFolder()
  const store = await startStore(folder.database)
  const desk = { ip: '192.0.2.10', hostname: 'desk' }
  const phone = { ip: '192.0.2.20', hostname: 'phone' }
  const at = (hours: number, fields: Parameters<typeof closed>[0]) =>
    store.exchangeClosed(
      closed({
        startedAt: NOW - hours * HOUR_MS,
        device: desk,
        provider: 'openai',
        ...fields,
      }),
    )
  const used = { inputTokens: 100, outputTokens: 20, costMicroUsd: 27 }
  at(30, {
    sessionId: MINE,
    ...used,
    promptPreview: 'Weather?',
    toolCalls: ['weather'],
    fragmented: true,
  })
  at(29, { sessionId: MINE, ...used, requestBody, responseBody })
  at(2, {
    sessionId: 'run',
    device: phone,
    ...used,
    inputEstimated: false,
    outputEstimated: true,
  })
  at(1, {
    sessionId: 'run',
    provider: 'house',
    model: 'own-model',
    inputTokens: 5,
    outputTokens: 5,
  })
  at(1, { path: '/v1/odd', model: '', uninspectable: 'unknown-api' })
  await store.stop()
  return folder
}

describe('yori sessions', () => {
  it('lists conversations, one a device, the newest first', async () => {
    using folder = await recorded()
    const json = JSON.parse(
      await yori(folder.database, ['sessions', 'list', '--json']),
    ) as SessionLine[]
    assert.deepEqual(
      json.map(({ name, device, exchanges, costMicroUsd, unpriced, fragmented }) => [
        ...[name, device, exchanges, costMicroUsd, unpriced, fragmented],
      ]),
      [
        ['run', 'desk', 1, null, 1, false],
        ['run', 'phone', 1, 27, 0, false],
        [MINE, 'desk', 2, 54, 0, true],
      ],
    )
    const lines = (await yori(folder.database, ['sessions', 'list'])).split('\n')
    assert.match(lines[1] ?? '', /run +desk +own-model +1 +5\+5 +-$/)
    assert.match(lines[2] ?? '', /run +phone +gpt-4o-mini +1 +100\+~20 +0\.000027$/)
    assert.match(lines[3] ?? '', /2 +200\+40 +0\.000054 +its beginning was not seen$/)
    const recent = await yori(folder.database, ['sessions', 'list', '--since', '90m'])
    assert.equal(recent.split('\n').length, 3)
  })

  it('prints a conversation as one, and says what was not kept of it', async () => {
    using folder = await recorded()
    for (const name of [MINE, MINE.slice(-12)]) {
      const shown = await yori(folder.database, ['sessions', 'show', name])
      assert.deepEqual(shown.split('\n'), [
        `session ${MINE}  desk  2 exchanges`,
        'It began before YORI saw it: earlier turns are not here.',
        '',
        '2026-11-19 06:00:00  gpt-4o-mini  response 200  100+20 tokens  0.000027 USD',
        '  user       Weather? (preview)',
        '  assistant  (not kept)',
        '  calls      weather',
        '',
        '2026-11-19 07:00:00  gpt-4o-mini  response 200  100+20 tokens  0.000027 USD',
        '  result     sunny\\u001b[2J',
        '  user       So?',
        '  assistant  It is sunny.',
        '             Go out.',
        '',
        'Not kept whole: 1 of 2 prompts, 1 of 2 answers (audit.bodies says what is kept).',
        '',
      ])
    }
    const json = JSON.parse(
      await yori(folder.database, ['sessions', 'show', 'run', '--json']),
    ) as Conversation[]
    assert.deepEqual(
      json.map(({ device, turns }) => [device, turns[0]?.askedKept, turns[0]?.answered]),
      [
        ['desk', 'none', null],
        ['phone', 'none', null],
      ],
    )
  })

  it('says so when there is no such session', async () => {
    using folder = await recorded()
    await assert.rejects(
      yori(folder.database, ['sessions', 'show', '%']),
      /no session % is recorded/,
    )
  })
})

describe('yori stats', () => {
  it('tells use and cost by device, provider, model and day', async () => {
    using folder = await recorded()
    const usage = JSON.parse(await yori(folder.database, ['stats', '--json'])) as Usage
    const brief = (lines: Usage['days']) =>
      lines.map(({ name, exchanges, promptTokens, costMicroUsd }) => [
        ...[name, exchanges, promptTokens, costMicroUsd],
      ])
    assert.deepEqual(brief(usage.devices), [
      ['desk', 4, 205, 54],
      ['phone', 1, 100, 27],
    ])
    assert.deepEqual(brief(usage.providers), [
      ['openai', 4, 300, 81],
      ['house', 1, 5, null],
    ])
    assert.deepEqual(brief(usage.days), [
      ['2026-11-20', 3, 105, 27],
      ['2026-11-19', 2, 200, 54],
    ])
    assert.deepEqual(brief([usage.total]), [['all', 5, 305, 81]])
    assert.deepEqual([usage.total.sessions, usage.total.unpriced], [2, 1])
    assert.deepEqual(usage.unseen, [
      { path: 'api.openai.com/v1/odd', reason: 'unknown-api', count: 1 },
    ])
    const shown = await yori(folder.database, ['stats', '--since', '1d'])
    assert.match(shown, /1 exchange has no known price: not in the sum/)
    assert.match(shown, /~ 0 of the tokens in and 20 of those out are estimated/)
    assert.match(shown, / 100\+~20 /)
    assert.match(shown, /1 +unknown-api +api\.openai\.com\/v1\/odd/)
    assert.doesNotMatch(shown, /2026-11-19/)
    const none = await yori(folder.database, ['stats', '--device', 'nobody', '--json'])
    assert.equal((JSON.parse(none) as Usage).total.exchanges, 0)
  })

  it('has a line for all models that have none, so that its lines add up', async () => {
    using folder = temporaryFolder()
    const store = await startStore(folder.database)
    for (let n = 0; n < MOST_LINES + 3; n++) {
      const fields = { model: `model-${n}`, inputTokens: 10, costMicroUsd: 1 }
      // Those with most exchanges come first.
      for (let times = n < MOST_LINES ? 2 : 1; times > 0; times--)
        store.exchangeClosed(closed({ startedAt: NOW, ...fields }))
    }
    await store.stop()
    const { models, total } = JSON.parse(
      await yori(folder.database, ['stats', '--json']),
    ) as Usage
    assert.equal(models.length, MOST_LINES + 1)
    const others = models.at(-1)
    assert.deepEqual(
      [others?.name, others?.exchanges, others?.promptTokens, others?.costMicroUsd],
      [OTHERS, 3, 30, 3],
    )
    assert.equal(total.promptTokens, 10 * (2 * MOST_LINES + 3))
  })
})

describe('yori audit list', () => {
  it('shows tokens, cost and session', async () => {
    using folder = await recorded()
    const lines = (await yori(folder.database, ['audit', 'list'])).split('\n')
    assert.match(lines[0] ?? '', /model +tokens +USD +session +status/)
    assert.match(lines.at(-2) ?? '', /gpt-4o-mini +100\+20 +0\.000027 +b52515c5a8a1 +200/)
    assert.match(lines.find((line) => line.includes('own-model')) ?? '', / 5\+5 +- +run /)
  })
})
