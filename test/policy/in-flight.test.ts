/** What is in flight beside a call: by values alone. */
import assert from 'node:assert/strict'
import { InFlight } from '../../src/policy/in-flight.js'
import type { View, WorstCase } from '../../src/policy/in-flight.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import type { Usage } from '../../src/policy/usage.js'

const times = new LocalTimes()
const at = (text: string) => times.at(Date.parse(text), 'UTC')
const NOON = at('2026-03-04T12:30:00Z')
const CHILD = { device: 'a', groups: ['children'] }
const worst = (tokens: number): WorstCase => ({
  tokens,
  microUsd: 10 * tokens,
  outputTokens: tokens - 1,
  outputMicroUsd: 10 * (tokens - 1),
  toolCalls: 0,
})

const spent = (requests: number) => ({
  requests,
  tokens: 0,
  microUsd: 0,
  atMostMicroUsd: 0,
})
const used = (requests: number): Usage => ({
  hour: spent(requests),
  today: { ...spent(requests), minutes: 1 },
  month: spent(requests),
  days: [],
})

const counted = (
  flights: InFlight,
  id: string,
  view: View,
  { requests, name = 'a' }: { requests: number; name?: string },
): { requests: number[]; tokens: number; microUsd: number } => {
  const about = { scope: name === 'a' ? 'device' : 'group', name } as const
  const usage = { ...about, usage: used(requests) }
  const { hour, today, month } = flights.seenBy(id, view, usage, NOON)
  const { tokens, microUsd } = today
  return {
    requests: [hour.requests, today.requests, month.requests],
    tokens,
    microUsd,
  }
}

describe('what is in flight', () => {
  it('counts for who comes after it, with the most that it may use', () => {
    const flights = new InFlight()
    for (const id of ['1', '2', '3']) flights.begun(id, CHILD, NOON)
    flights.reserve('1', CHILD, worst(100))
    flights.reserve('2', CHILD, worst(10))
    assert.equal(flights.isBeside('1'), false)
    assert.equal(flights.isBeside('2'), true)
    // Three are counted. The first sees itself alone; the second both, and what it writes itself.
    for (const name of ['a', 'children']) {
      const first = counted(flights, '1', 'beside', { requests: 3, name })
      assert.deepEqual(first, {
        requests: [1, 1, 1],
        tokens: 0,
        microUsd: 0,
      })
      const second = counted(flights, '2', 'beside', { requests: 3, name })
      assert.deepEqual(second, { requests: [2, 2, 2], tokens: 109, microUsd: 1090 })
      const alone = counted(flights, '2', 'alone', { requests: 3, name })
      assert.deepEqual(alone, {
        requests: [1, 1, 1],
        tokens: 0,
        microUsd: 0,
      })
    }
    flights.ended('1')
    assert.equal(flights.isBeside('2'), false)
    assert.equal(counted(flights, '2', 'beside', { requests: 3 }).tokens, 0)
    flights.ended('2')
    flights.ended('3')
    assert.deepEqual(flights.counts, { open: 0, waiting: 0 })
  })

  it('that was counted in another hour is not taken from this one', () => {
    const flights = new InFlight()
    flights.begun('old', CHILD, at('2026-03-04T11:59:00Z'))
    flights.begun('older', CHILD, at('2026-03-03T12:30:00Z'))
    flights.begun('new', CHILD, NOON)
    flights.reserve('new', CHILD, worst(1))
    assert.deepEqual(
      counted(flights, 'new', 'alone', { requests: 3 }).requests,
      [3, 2, 1],
    )
  })

  it('of others is nothing to it', () => {
    const flights = new InFlight()
    flights.reserve('1', { device: 'b', groups: [] }, worst(100))
    flights.reserve('2', CHILD, worst(10))
    assert.equal(flights.isBeside('2'), false)
    assert.equal(counted(flights, '2', 'beside', { requests: 1 }).tokens, 0)
  })

  it('wakes one that waits at a time, in their order, and the next once it is settled', async () => {
    const flights = new InFlight()
    for (const id of ['1', '2', '3']) flights.reserve(id, CHILD, worst(1))
    const woken: string[] = []
    const waits = ['2', '3'].map(async (id) => {
      const why = await flights.wait(id, flights.changes(id), 60_000)
      woken.push(`${id} ${why}`)
    })
    assert.equal(flights.counts.waiting, 2)
    flights.ended('1')
    await waits[0]
    assert.deepEqual(woken, ['2 changed'])
    flights.settled('2')
    await waits[1]
    assert.deepEqual(woken, ['2 changed', '3 changed'])
  })

  it('is not waited for after a while, nor when who asked is gone, nor when it has changed', async () => {
    const flights = new InFlight()
    for (const id of ['1', '2', '3', '4']) flights.reserve(id, CHILD, worst(1))
    assert.equal(await flights.wait('2', flights.changes('2'), 1), 'late')
    const gone = flights.wait('3', flights.changes('3'), 60_000)
    flights.giveUp('3')
    assert.equal(await gone, 'over')
    assert.equal(await flights.wait('3', flights.changes('3'), 60_000), 'over')
    const since = flights.changes('4')
    flights.ended('1')
    assert.equal(await flights.wait('4', since, 60_000), 'changed')
    assert.equal(await flights.wait('unknown', 0, 60_000), 'over')
  })

  it('that gives back what nobody was told of wakes nobody', () => {
    const flights = new InFlight()
    flights.reserve('1', CHILD, worst(1))
    const before = flights.changes('1')
    flights.reserve('2', CHILD, worst(1))
    flights.release('2')
    assert.equal(flights.changes('1'), before)
    flights.reserve('2', CHILD, worst(1))
    flights.reserve('3', CHILD, worst(1))
    counted(flights, '3', 'beside', { requests: 1 })
    flights.release('2')
    assert.equal(flights.changes('1'), before + 2, 'of its device and of its group')
  })
})
