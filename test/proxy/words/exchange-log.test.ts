import assert from 'node:assert/strict'
import type { ExchangeRecord } from '../../../src/core/record.js'
import { ExchangeLog } from '../../../src/proxy/words/exchange-log.js'

type Told = (log: ExchangeLog) => void
type Shown = {
  readonly [Field in keyof ExchangeRecord]?: ExchangeRecord[Field] | undefined
}

const ALERT: Told = (log) =>
  log.decided({ policyDecision: 'alert', policyName: 'watch', reason: 'a card number' })
const FAILS: Told = (log) =>
  log.failed({ code: 'YORI_UPSTREAM_RESET', reason: 'it went away', phase: 'sent' })
const REFUSED_THERE: Told = (log) => log.failedThere('no such model')
const ENDS: Told = (log) => log.ended({ outcome: 'response', latencyMs: 1 })
const answer = { unread: false, complete: true }
const SAYS_ERROR: Told = (log) =>
  log.answered({ ...answer, failure: { reason: 'overloaded', isError: true } })

/** What is told of an exchange in turn, and what its row says then. */
const ROWS: readonly [string, readonly Told[], Shown][] = [
  ['its provider says why', [REFUSED_THERE], { reason: 'no such model' }],
  [
    'its provider says why twice: the first counts',
    [REFUSED_THERE, (log) => log.failedThere('again')],
    { reason: 'no such model' },
  ],
  [
    'a policy says why after its provider did',
    [REFUSED_THERE, ALERT],
    { reason: 'a card number', policyDecision: 'alert' },
  ],
  ['a policy says why before', [ALERT, REFUSED_THERE], { reason: 'a card number' }],
  [
    'it is alerted on, and fails',
    [ALERT, FAILS],
    { reason: 'it went away', phase: 'sent', policyName: 'watch' },
  ],
  [
    'it fails, and is alerted on',
    [FAILS, ALERT],
    { reason: 'it went away', code: 'YORI_UPSTREAM_RESET', policyName: 'watch' },
  ],
  [
    'what blocked first is let past, and the next blocks',
    [ALERT, (log) => log.blockedNext({ policyName: 'bedtime', reason: 'it is late' })],
    { reason: 'it is late', policyName: 'bedtime' },
  ],
  [
    'nobody knows its path, and its answer has parts that nobody reads',
    [(log) => log.unseen('unknown-api'), (log) => log.unseen('response')],
    { uninspectable: 'unknown-api' },
  ],
  [
    'it is partly unseen, and then reading it fails',
    [(log) => log.unseen('partly-unseen'), (log) => log.readingFailed()],
    { uninspectable: 'failed' },
  ],
  [
    'reading it fails, and there is more that is not seen',
    [(log) => log.readingFailed(), (log) => log.unseen('response')],
    { uninspectable: 'failed' },
  ],
  [
    'a stream that began well ends with an error in it',
    [(log) => log.status(200), ENDS, SAYS_ERROR],
    { outcome: 'error', reason: 'overloaded', status: 200 },
  ],
  [
    'its status says no already',
    [(log) => log.status(404), ENDS, SAYS_ERROR],
    { outcome: 'response', reason: 'overloaded' },
  ],
  [
    'it was asked of one model, and another answers',
    [
      (log) => log.asked({ model: 'asked' }),
      (log) => log.answered({ ...answer, model: 'other' }),
    ],
    { model: 'asked' },
  ],
  [
    'bytes and words come again: the first count',
    [
      (log) => log.firstByte(1),
      (log) => log.firstByte(2),
      (log) => log.firstToken(3),
      (log) => log.firstToken(4),
    ],
    { firstByteMs: 1, firstTokenMs: 3 },
  ],
  [
    'what it told is paid for elsewhere',
    [
      (log) => log.answered({ ...answer, inputTokens: 7, costMicroUsd: 3 }),
      (log) => log.paid({ clears: true, countedIn: 'r0' }),
    ],
    { inputTokens: undefined, costMicroUsd: undefined, countedIn: 'r0' },
  ],
  [
    'one of its messages is denied, and another only alerted on',
    [
      (log) => beside(log, 'deny', 'first'),
      (log) => beside(log, 'alert', 'second'),
      (log) => log.undisputed(),
    ],
    { policyDecision: 'deny', policyName: 'first' },
  ],
  ['nobody objects', [(log) => log.undisputed()], { policyDecision: 'allow' }],
]

function beside(log: ExchangeLog, policyDecision: 'deny' | 'alert', policyName: string) {
  const aside = log.aside()
  aside.decided({ policyDecision, policyName })
  log.decidedBeside(aside)
}

describe('the row of an exchange, when', () => {
  for (const [name, told, expected] of ROWS)
    it(name, () => {
      const log = new ExchangeLog({
        requestId: 'r',
        connectionId: 'c',
        device: { ip: '192.0.2.1' },
        startedAt: 0,
        endpointDomain: 'llm.example',
        httpVersion: '1.1',
        method: 'POST',
        path: '/v1/chat/completions',
      })
      const shown = log.record
      for (const tell of told) tell(log)
      // One object from its opening on, for whoever was shown it.
      assert.equal(log.record, shown)
      for (const [field, value] of Object.entries(expected))
        assert.deepEqual(shown[field as keyof ExchangeRecord], value, field)
    })
})
