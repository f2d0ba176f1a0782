/** Links in messages that ask: one a message, the same at each try, and one answer for all. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { MOST_LINKS } from '../../src/alerts/answer-store.js'
import { AnswerTokens } from '../../src/alerts/answer-tokens.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { Receiver, blockedEvent, office, settingsFor, sinkTo } from './support.js'

const NOON = Date.UTC(2026, 10, 30, 12)
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

describe('the links of asks', () => {
  let folder: TempFolder
  let hook: Receiver
  let files = 0
  before(async () => {
    folder = await tempFolder()
    hook = await Receiver.start()
  })
  after(async () => {
    await hook[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    hook.got.length = 0
    hook.script.length = 0
  })
  const file = (): string => folder.file(`alerts-${++files}.db`)
  const answerUrl = 'https://yori.home.arpa:8088'
  const told = (at: number, more = {}) => [
    { event: blockedEvent(at, { rule: 'ask', ...more }), count: 1 },
  ]
  const urlIn = (got: { json: Record<string, unknown> } | undefined): string =>
    String((got?.json['metadata'] as Record<string, unknown>)['answer_url'])
  const tokenIn = (url: string): string => url.slice(`${answerUrl}/answer/`.length)

  it('sends the same at each try and over a restart, and counts from the last', async () => {
    const [path, key] = [file(), folder.file('answers.key')]
    const settings = settingsFor([sinkTo(hook.url)], { answerUrl })
    hook.script.push(503)
    {
      using post = office(path, { tokens: AnswerTokens.in(key) })
      post.use(settings, NOON)
      post.take(told(NOON), NOON)
      await post.settled()
    }
    assert.equal(statSync(key).mode & 0o777, 0o600)
    using post = office(path, { tokens: AnswerTokens.in(key) })
    post.use(settings, NOON + 2 * HOUR)
    post.tick(NOON + 2 * HOUR)
    await post.settled()
    const [first, second] = hook.got
    assert.equal(first?.text, second?.text)
    const token = tokenIn(urlIn(second))
    const ask = (at: number) => post.ask('link', { token }, NOON + at)
    assert.equal((await ask(3 * HOUR - SECOND))?.state, 'open')
    assert.equal((await ask(3 * HOUR))?.state, 'old')
    const late = { token, said: 'yes' } as const
    assert.equal((await post.ask('answer', late, NOON + 3 * HOUR))?.taken, false)
  })

  it('ends all links of an ask with one answer, and opens them if it was none', async () => {
    using post = office(file())
    const sinks = ['one', 'two'].map((name) => sinkTo(hook.url, { name }))
    post.use(settingsFor(sinks, { answerUrl }), NOON)
    post.take(told(NOON), NOON)
    await post.settled()
    const [one = '', two = ''] = hook.got.map((got) => tokenIn(urlIn(got)))
    assert.notEqual(one, two)
    const say = (token: string, said: 'yes' | 'no') =>
      post.ask('answer', { token, said }, NOON + SECOND)
    assert.equal((await say(one, 'yes'))?.taken, true)
    assert.equal((await say(two, 'no'))?.taken, false)
    assert.equal((await say(two, 'no'))?.link.said, 'yes')
    await post.ask('unanswer', { token: one }, NOON + SECOND)
    assert.equal((await say(two, 'no'))?.taken, true)
  })

  it('keeps the newest, so many', async () => {
    let [first, last] = ['', '']
    using many = office(file(), {
      send: (_sink, { event }) => {
        last = tokenIn(event.answer?.url ?? '')
        first ||= last
        return Promise.resolve({ kind: 'taken' })
      },
    })
    many.use(settingsFor([sinkTo(hook.url)], { answerUrl }), NOON)
    for (let n = 0; n <= MOST_LINKS; n++) {
      many.take(told(NOON, { policy: `p${n}` }), NOON + n)
      if (n % 500 === 0) await many.settled()
    }
    await many.settled()
    const state = async (token: string) =>
      (await many.ask('link', { token }, NOON + MINUTE))?.state
    assert.deepEqual([await state(first), await state(last)], [undefined, 'open'])
  })

  it('has none where nothing is asked, no address is known, or logs are told', async () => {
    const sent: unknown[] = []
    for (const [more, sink, settings] of [
      [{ rule: 'blocked' }, {}, { answerUrl }],
      [{}, {}, {}],
      [{}, { type: 'syslog' }, { answerUrl }],
      [{ at: NOON - 24 * HOUR }, {}, { answerUrl }],
    ] as const) {
      using post = office(file(), {
        send: (_sink, { event }) => {
          sent.push(event.answer)
          return Promise.resolve({ kind: 'taken' })
        },
      })
      post.use(settingsFor([sinkTo(hook.url, sink)], settings), NOON)
      post.take(told(NOON, more), NOON)
      await post.settled()
    }
    assert.deepEqual(sent, [undefined, undefined, undefined, undefined])
  })
})
