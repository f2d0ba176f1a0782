import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { recognise, recogniseBody } from '../../src/providers/index.js'
import type { RequestFacts, ResponseFacts } from '../../src/providers/provider.js'
import { Sessions } from '../../src/conversations/sessions.js'
import { recordedCases } from '../support/needs.js'

interface Pair {
  readonly id: string
  readonly source: { readonly path: string; readonly interaction?: number } | null
  readonly request: {
    readonly method: string
    readonly url: string
    readonly body: string | null
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: string
  }
}

interface Turn {
  readonly id: string
  readonly provider: string
  /** The recording that it is of: what happened one after the other on one machine. */
  readonly recording: string
  readonly asked: RequestFacts
  readonly answered: ResponseFacts
  /** The list of messages or items as it stands in the body. */
  readonly history: readonly unknown[]
}

/** In the order in which they were recorded. */
function turnsOf(file: string): Turn[] {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Pair)
  rows.sort((a, b) => a.id.localeCompare(b.id))
  return rows.flatMap((row) => {
    const turn = turnOf(row)
    return turn === undefined ? [] : [turn]
  })
}

function turnOf({ id, source, request, response }: Pair): Turn | undefined {
  let body: Record<string, unknown>
  try {
    body = JSON.parse(request.body ?? '') as Record<string, unknown>
  } catch {
    return undefined
  }
  const { hostname, pathname, search } = new URL(request.url)
  const path = pathname + search
  const head = { host: hostname, method: request.method, path }
  const found = recognise(head) ?? recogniseBody(body)
  if (found === undefined) return undefined
  const { provider, api } = found
  const type = response.headers['content-type']
  const contentType = typeof type === 'string' ? type : undefined
  const reader = provider.reader({ api, path, status: response.status, contentType })
  reader.push(Buffer.from(response.body))
  const list = body['messages'] ?? body['input'] ?? body['contents']
  return {
    id,
    provider: provider.name,
    recording: source?.path ?? id,
    asked: provider.readRequest(body, { api, path }),
    answered: reader.end(),
    history: Array.isArray(list) ? (list as unknown[]) : [],
  }
}

/** Which session each turn fell into, by the turn's id. */
function placed(
  turns: readonly Turn[],
  naming: (turn: Turn) => { device: string; sessionId?: string },
): Map<string, string> {
  let serial = 0
  const sessions = new Sessions({ newId: () => `s${++serial}` })
  return new Map(
    turns.map((turn, at) => {
      const { provider, asked: facts } = turn
      const { session } = sessions.place({ provider, facts, ...naming(turn) }, at)
      sessions.answered(session, turn.answered, at)
      return [turn.id, session.id]
    }),
  )
}

/** Judged by the bodies alone: the later begins with all that the earlier one said. */
function goesOn(earlier: Turn, later: Turn): boolean {
  const { history } = earlier
  if (history.length === 0 || later.history.length <= history.length) return false
  const begin = later.history.slice(0, history.length)
  return JSON.stringify(begin) === JSON.stringify(history)
}

describe('sessions of recorded conversations', () => {
  let turns: Turn[] = []
  let pairs: [Turn, Turn][] = []

  before(function () {
    const file = recordedCases(this, 'llm', 'pairs.jsonl')
    turns = turnsOf(file)
    pairs = turns.flatMap((later) =>
      turns
        .filter(
          (earlier) => earlier.recording === later.recording && goesOn(earlier, later),
        )
        .map((earlier): [Turn, Turn] => [earlier, later]),
    )
    assert.ok(pairs.length > 0)
  })

  it('YORI joins what goes on and nothing else, without ids', () => {
    const where = placed(turns, ({ recording }) => ({ device: recording }))
    for (const [earlier, later] of pairs)
      assert.equal(
        where.get(later.id),
        where.get(earlier.id),
        `${earlier.id} ${later.id}`,
      )
    const joined = new Set(pairs.map(([, later]) => later.id))
    const alone = turns.filter(({ id }) => !joined.has(id))
    const sessions = new Set(alone.map(({ id }) => where.get(id)))
    assert.equal(sessions.size, alone.length)
  })

  it('YORI joins it all the same when one device has all conversations at once', () => {
    const apart = turns.filter(
      (turn) =>
        !turns.some((other) => other.recording !== turn.recording && goesOn(other, turn)),
    )
    const where = placed(apart, () => ({ device: 'one' }))
    for (const [earlier, later] of pairs)
      if (apart.includes(earlier) && apart.includes(later))
        assert.equal(where.get(later.id), where.get(earlier.id), later.id)
  })

  it('YORI puts each recording into the session that it names', () => {
    const where = placed(turns, ({ recording }) => ({
      device: 'one',
      sessionId: recording,
    }))
    for (const { id, recording } of turns) assert.equal(where.get(id), recording)
  })

  it('YORI keeps two devices that say the same apart', () => {
    const twice = turns.flatMap((turn) => [
      { ...turn, id: `a ${turn.id}` },
      { ...turn, id: `b ${turn.id}` },
    ])
    const where = placed(twice, ({ id, recording }) => ({
      device: `${id.slice(0, 1)} ${recording}`,
    }))
    for (const { id } of turns)
      assert.notEqual(where.get(`a ${id}`), where.get(`b ${id}`), id)
    for (const [earlier, later] of pairs)
      for (const device of ['a', 'b'])
        assert.equal(
          where.get(`${device} ${later.id}`),
          where.get(`${device} ${earlier.id}`),
        )
  })
})
