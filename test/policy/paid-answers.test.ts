/** Which row an answer is paid in: by values alone. */
import assert from 'node:assert/strict'
import type { ExchangeRecord } from '../../src/core/record.js'
import { ExchangeLog } from '../../src/proxy/words/exchange-log.js'
import { ANSWER_DAYS, PaidAnswers } from '../../src/policy/paid-answers.js'
import type { PaidAnswer } from '../../src/policy/paid-answers.js'
import { exchange } from '../audit/support.js'

const DAY_MS = 86_400_000

interface Asks {
  readonly id?: string | undefined
  readonly path?: string
  readonly nowMs?: number
  readonly goesOn?: boolean
  readonly isWhole?: boolean
  readonly resultsFile?: string
}

/** What `Reading` does once an answer has been read. */
function told(
  answers: PaidAnswers,
  fields: Partial<ExchangeRecord>,
  { id, path = '/v1/responses', nowMs = 0, ...asks }: Asks = {},
): ExchangeRecord {
  const { goesOn = false, isWhole = true, resultsFile } = asks
  const log = new ExchangeLog(
    exchange({ inputEstimated: false, outputEstimated: false, ...fields }),
  )
  const { record } = log
  const known = answers.find(record, { responseId: id, resultsFile }, path)
  const about = { path, isKept: true, nowMs }
  const said = { responseId: id, resultsFile, goesOn, failed: false, isWhole }
  log.paid(answers.settle(record, said, known, about))
  return record
}

const CALL = { call: true, inputTokens: 10, outputTokens: 1 }
const FETCH = { ...CALL, call: false, method: 'GET' }

describe('paid answers', () => {
  it('are remembered up to a bound, and it is said which was forgotten too early', () => {
    const forgotten: string[] = []
    const answers = new PaidAnswers(({ requestId }) => forgotten.push(requestId), 3)
    const [first, second] = [1, 2, 3, 4].map((n) => told(answers, CALL, { id: `r${n}` }))
    assert.equal(answers.size, 3)
    assert.deepEqual(forgotten, [first?.requestId])
    // It is paid as what nobody knew of.
    assert.equal(told(answers, FETCH, { id: 'r1' }).inputTokens, 10)
    assert.equal(answers.size, 3)
    assert.deepEqual(forgotten, [first?.requestId, second?.requestId])
    // No provider keeps it any longer: that is no news.
    told(answers, CALL, { id: 'r5', nowMs: ANSWER_DAYS * DAY_MS })
    assert.equal(forgotten.length, 2)
  })

  it('keep what is cached of it when it is told again without', () => {
    const answers = new PaidAnswers()
    const priced = { ...CALL, cachedTokens: 8, costMicroUsd: 550 }
    const first = told(answers, priced, { id: 'r1' })
    // The same answer, fetched from a server that leaves the details out, so that all is dear.
    for (const fetched of [
      { ...FETCH, costMicroUsd: 625 },
      { ...FETCH, inputTokens: 2, costMicroUsd: 400 },
    ])
      assert.equal(told(answers, fetched, { id: 'r1' }).corrects, undefined)
    const [kept] = answers.take()
    assert.deepEqual([kept?.inputTokens, kept?.microUsd], [10, 550])
    // With its details it is news, and so is more than was told before.
    const detailed = { ...FETCH, cachedTokens: 9, costMicroUsd: 540 }
    const again = told(answers, detailed, { id: 'r1' })
    assert.equal(again.countedIn, first.requestId)
    assert.equal(answers.take()[0]?.microUsd, 540)
    told(answers, { ...FETCH, inputTokens: 20, costMicroUsd: 700 }, { id: 'r1' })
    assert.equal(answers.take()[0]?.microUsd, 700)
  })

  it('are taken once, again when they did not arrive, and not when they came from there', () => {
    const answers = new PaidAnswers()
    told(answers, CALL, { id: 'r1' })
    const rows = answers.take()
    assert.deepEqual([rows.length, answers.take().length], [1, 0])
    answers.lost()
    assert.deepEqual(answers.take(), rows)
    const later = new PaidAnswers()
    later.restore(rows)
    assert.deepEqual(later.take(), [])
    const fetched = told(later, FETCH, { id: 'r1' })
    assert.deepEqual(
      [fetched.inputTokens, fetched.countedIn],
      [undefined, (rows[0] as PaidAnswer).requestId],
    )
  })

  it('hold neither ids nor queries, which may hold keys', () => {
    const answers = new PaidAnswers()
    told(answers, CALL, { id: 'resp_secret' })
    told(answers, FETCH, { path: '/v1/usage?key=secret' })
    assert.equal(answers.size, 2)
    assert.doesNotMatch(JSON.stringify(answers.take()), /secret/)
  })

  it('of one host are none of another', () => {
    const answers = new PaidAnswers()
    told(answers, CALL, { id: 'r1' })
    const elsewhere = { ...FETCH, endpointDomain: 'llm.example' }
    assert.equal(told(answers, elsewhere, { id: 'r1' }).inputTokens, 10)
  })

  it('that a poll told of while their stream was open are not paid by the stream as well', () => {
    const answers = new PaidAnswers()
    const stream = { ...CALL, startedAt: 100 }
    assert.equal(told(answers, FETCH, { id: 'r1', nowMs: 150 }).inputTokens, 10)
    assert.equal(told(answers, stream, { id: 'r1', nowMs: 200 }).inputTokens, undefined)
    // A call that began after it is another, whatever its id.
    const next = { ...CALL, startedAt: 300 }
    assert.equal(told(answers, next, { id: 'r1', nowMs: 400 }).inputTokens, 10)
  })

  it('change by what is told, up and down, and by no guess', () => {
    const answers = new PaidAnswers()
    told(answers, { ...CALL, inputEstimated: true, costMicroUsd: 50 }, { id: 'r1' })
    const more = (fields: Partial<ExchangeRecord>) =>
      told(answers, { ...FETCH, ...fields }, { id: 'r1' }).corrects?.more
    assert.deepEqual(more({ inputTokens: 4, costMicroUsd: 20 }), {
      tokens: -6,
      microUsd: -30,
      atMostMicroUsd: 0,
    })
    assert.equal(more({ inputTokens: 4, costMicroUsd: 20 }), undefined)
    assert.equal(more({ inputTokens: 9, inputEstimated: true }), undefined)
    assert.deepEqual(more({ outputTokens: 3, inputTokens: 4, costMicroUsd: 20 }), {
      tokens: 2,
      microUsd: 0,
      atMostMicroUsd: 0,
    })
  })

  it('are not less for what was told of a part of them', () => {
    const answers = new PaidAnswers()
    const path = '/v1/files/file-1/content'
    told(answers, { ...FETCH, inputTokens: 100 }, { path })
    const part = { ...FETCH, inputTokens: 40 }
    assert.equal(told(answers, part, { path, isWhole: false }).corrects, undefined)
    const more = { ...FETCH, inputTokens: 160 }
    const grown = told(answers, more, { path, isWhole: false })
    assert.equal(grown.corrects?.more.tokens, 60)
  })

  it('turn what they cost at most into what they cost, and the other way', () => {
    const answers = new PaidAnswers()
    told(answers, { ...CALL, costAtMostMicroUsd: 900 }, { id: 'r1' })
    const corrects = (fields: Partial<ExchangeRecord>) =>
      told(answers, { ...FETCH, ...fields }, { id: 'r1' }).corrects
    const known = corrects({ costMicroUsd: 70 })
    assert.deepEqual(known?.more, { tokens: 0, microUsd: 70, atMostMicroUsd: -900 })
    assert.equal(known.told.costAtMostMicroUsd, undefined)
    const again = corrects({ costAtMostMicroUsd: 300 })
    assert.deepEqual(again?.more, { tokens: 0, microUsd: -70, atMostMicroUsd: 300 })
    assert.equal(again.told.costMicroUsd, undefined)
  })
})
