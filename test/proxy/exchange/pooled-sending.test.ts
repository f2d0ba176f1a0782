/**
 * One request at a pool, moment by moment: what is told to the client's side, what counts against
 * a target, and that everything that was taken is given back. The targets are played.
 */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { YoriError } from '../../../src/core/errors.js'
import type { UpstreamHandler, UpstreamRequest } from '../../../src/net/upstream-words.js'
import { PooledSending } from '../../../src/proxy/exchange/pooled-sending.js'
import type { PooledRequest } from '../../../src/proxy/exchange/pooled-sending.js'
import { Asked } from '../../support/upstream-asked.js'
import { makePool } from '../../pools/support.js'
import type { MadePool } from '../../pools/support.js'

interface Sent {
  readonly request: UpstreamRequest
  readonly handler: UpstreamHandler
  isAborted: boolean
}

const refused = new YoriError('YORI_UPSTREAM_UNREACHABLE', 'refused')
const closed = new YoriError('YORI_UPSTREAM_CLOSED', 'closed')
const BODY = { kind: 'whole', bytes: Buffer.from('{}') } as const

function begin(
  made: MadePool,
  more: Partial<PooledRequest> = {},
): {
  readonly sent: Sent[]
  readonly heard: Asked
  readonly attempts: string[]
  readonly exchange: ReturnType<typeof PooledSending.begin>
} {
  const sent: Sent[] = []
  const attempts: string[] = []
  const heard = new Asked()
  const exchange = PooledSending.begin(
    {
      way: {
        pool: made.pool,
        without: new Set(),
        key: 'k',
        headTimeoutMs: undefined,
        to: (index) => ({
          target: { host: `t${index}`, port: 80 },
          path: '/',
          fields: [],
        }),
      },
      body: BODY,
      again: () => BODY,
      maySendAgain: () => true,
      request: (to, body, { fresh }) => ({
        ...{ target: to.target, method: 'POST', path: to.path, host: to.target.host },
        ...{ fields: to.fields, body, fresh },
      }),
      send: (request, handler) => {
        const one: Sent = { request, handler, isAborted: false }
        sent.push(one)
        return { resume: () => undefined, abort: () => (one.isAborted = true) }
      },
      log: {
        attempted: ({ target, outcome }) => attempts.push(`${target} ${outcome}`),
        retried: () => attempts.push('again'),
      },
      servedBy: () => undefined,
      now: () => made.clock.monotonic(),
      wallNow: () => made.clock.now(),
      ...more,
    },
    heard,
  )
  return { sent, heard, attempts, exchange }
}

function isFree({ pool }: MadePool): void {
  assert.equal(pool.active, 0)
  assert.equal(pool.budget.retrying, 0)
  assert.deepEqual(
    pool.seen().map(({ active }) => active),
    pool.seen().map(() => 0),
  )
}

describe('a request at a pool', () => {
  it('goes to another target, and gives everything back', () => {
    const made = makePool(['a', 'b', 'c'])
    const { sent, heard, attempts } = begin(made)
    sent[0]?.handler.onError(refused, false, true)
    sent[1]?.handler.onHead(503, '', [])
    assert.equal(sent[1]?.isAborted, true)
    assert.equal(made.pool.budget.retrying, 1)
    sent[2]?.handler.onHead(200, 'OK', ['X-Yori-Upstream', 'forged', 'a', 'b'])
    assert.deepEqual(heard.fields, [
      'a',
      'b',
      'x-yori-upstream',
      'c',
      'x-yori-retries',
      '2',
    ])
    sent[2]?.handler.onEnd([])
    assert.deepEqual(attempts, ['a YORI_UPSTREAM_UNREACHABLE', 'b 503', 'c 200'])
    assert.deepEqual(
      made.pool.seen().map(({ ended }) => [ended.answered, ended.failed]),
      [
        [0, 1],
        [0, 1],
        [1, 0],
      ],
    )
    isFree(made)
  })

  it('takes a connection that was old for no failure, once', () => {
    const made = makePool(['a', 'b'])
    const { sent, heard, attempts } = begin(made)
    sent[0]?.handler.onError(closed, true)
    assert.deepEqual([sent[1]?.request.target.host, sent[1]?.request.fresh], ['t0', true])
    assert.equal(made.pool.seen()[0]?.ended.failed, 0)
    sent[1]?.handler.onError(closed, false)
    // It may have been acted on: nobody else is asked.
    assert.equal(sent.length, 2)
    assert.equal(heard.error?.code, 'YORI_UPSTREAM_CLOSED')
    assert.deepEqual(attempts, ['again', 'a YORI_UPSTREAM_CLOSED'])
    isFree(made)
  })

  it('is not sent again once an interim answer has gone on', () => {
    const made = makePool(['a', 'b'])
    const { sent, heard } = begin(made)
    sent[0]?.handler.onInformation(103, [])
    sent[0]?.handler.onHead(503, '', [])
    assert.deepEqual([sent.length, heard.status], [1, 503])
    sent[0]?.handler.onEnd([])
    isFree(made)
  })

  it('is not sent again when its body is not to be had any more', () => {
    const made = makePool(['a', 'b'])
    const { sent, heard } = begin(made, { again: () => undefined })
    sent[0]?.handler.onHead(503, '', [])
    assert.deepEqual([sent.length, heard.status], [1, 503])
    sent[0]?.handler.onEnd([])
    isFree(made)
  })

  it('goes up within the budget of retries alone', () => {
    const made = makePool(['a', 'b'])
    const all = Array.from({ length: 10 }, () => begin(made))
    for (const { sent } of all) sent[0]?.handler.onError(refused, false, true)
    const again = all.filter(({ sent }) => sent.length === 2)
    assert.equal(again.length, 3)
    assert.equal(made.pool.counts.retriesRefused, 7)
    for (const { sent } of again) sent[1]?.handler.onHead(200, '', [])
    for (const { sent } of again) sent[1]?.handler.onEnd([])
    isFree(made)
  })

  for (const [waitedMs, failures] of [
    [999, 0],
    [1_000, 1],
  ] as const)
    it(`counts ${failures} against a target whose client went after ${waitedMs} ms`, () => {
      const made = makePool(['a', 'b'])
      const { sent, exchange } = begin(made)
      made.clock.advance(waitedMs)
      exchange.abort()
      exchange.abort()
      assert.equal(sent[0]?.isAborted, true)
      assert.equal(made.pool.seen()[0]?.ended.failed, failures)
      isFree(made)
    })

  it('leaves out a target that hangs, by clients that do not wait', () => {
    const made = makePool(['a', 'b', 'c'])
    for (let i = 0; i < 15; i++) {
      const { sent, exchange } = begin(made)
      const [one] = sent
      made.clock.advance(3_000)
      if (one?.request.target.host === 't1') exchange.abort()
      else {
        one?.handler.onHead(200, '', [])
        one?.handler.onEnd([])
      }
    }
    assert.equal(made.pool.seen()[1]?.standing, 'out')
  })

  it('has its target until the socket to which it switched is closed', async () => {
    const made = makePool(['a'])
    const { sent, heard } = begin(made)
    const socket = new PassThrough()
    sent[0]?.handler.onUpgrade(['upgrade', 'websocket'], socket)
    assert.deepEqual(heard.fields.slice(-2), ['x-yori-upstream', 'a'])
    assert.equal(made.pool.seen()[0]?.active, 1)
    socket.destroy()
    await new Promise((resolve) => socket.once('close', resolve))
    isFree(made)
  })

  it('says that there is no target, not within the call', async () => {
    const made = makePool([{ maxRequests: 1 }], { limits: { waiting: 0 } })
    const first = begin(made)
    const { sent, heard } = begin(made)
    assert.deepEqual([sent.length, heard.error], [0, undefined])
    await heard.ended()
    assert.equal(heard.error?.code, 'YORI_UPSTREAM_NO_TARGET')
    assert.equal(made.pool.counts.noTarget, 1)
    first.exchange.abort()
    isFree(made)
  })

  it('waits for room in its order, and is told when there was none in time', async () => {
    const made = makePool([{ maxRequests: 1 }], { limits: { waitMs: 20, waiting: 2 } })
    const first = begin(made)
    const second = begin(made)
    const third = begin(made)
    const fourth = begin(made)
    await fourth.heard.ended()
    assert.equal(fourth.heard.error?.code, 'YORI_UPSTREAM_NO_TARGET')
    first.sent[0]?.handler.onHead(200, '', [])
    first.sent[0]?.handler.onEnd([])
    assert.deepEqual([second.sent.length, third.sent.length], [1, 0])
    await third.heard.ended()
    assert.equal(third.heard.error?.code, 'YORI_UPSTREAM_BUSY')
    assert.equal(third.sent.length, 0)
    const gone = begin(made)
    gone.exchange.abort()
    assert.deepEqual(made.pool.line.counts, { served: 1, late: 1, left: 1 })
    assert.equal(made.pool.line.length, 0)
    second.exchange.abort()
    isFree(made)
  })

  it('says nothing of a target when it was the client that broke off', () => {
    const made = makePool(['a', 'b'])
    const { sent, heard } = begin(made)
    sent[0]?.handler.onError(new YoriError('YORI_CLIENT_GONE'), false)
    assert.deepEqual([sent.length, heard.error?.code], [1, 'YORI_CLIENT_GONE'])
    assert.equal(made.pool.seen()[0]?.ended.failed, 0)
    isFree(made)
  })
})
