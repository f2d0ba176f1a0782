/**
 * Rows of raw messages, our own and where there is one a parser's: never more is taken than it
 * takes and than a strict reading of RFC 9112 (`tools/cases/http-messages.ts`, which shares no
 * code with the product) finds, and the same however a row is cut.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { readRequests, readResponses } from '../../../tools/cases/http-messages.js'
import { completed, rowOf } from '../../../tools/cases/http-row.js'
import type { HttpRow } from '../../../tools/cases/http-row.js'
import type { Row } from '../../../tools/cases/kind.js'
import { fixtureFile } from '../../support/fixtures.js'
import { readH1 } from '../../support/h1-read.js'
import { everySplit } from '../../support/splits.js'
import { recordedCases } from '../../support/needs.js'

interface Case extends HttpRow {
  readonly side: 'request' | 'response'
}

function rowsOf(file: string): Case[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const row = JSON.parse(line) as Row
      const http = rowOf(row)
      const side = row['side'] === 'response' ? 'response' : 'request'
      return http === undefined ? [] : [{ ...http, side }]
    })
}

/** `HTTP/1.1` asks for it, the rows leave it out. */
function named(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  if (/^host:/im.test(text)) return bytes
  return Buffer.from(
    text.replace(/( HTTP\/1\.[01]\r\n)/g, '$1Host: a.test\r\n'),
    'latin1',
  )
}

function check({ side, raw, strict, expected }: Case): number {
  const bytes = side === 'request' ? named(completed(raw)) : completed(raw)
  const ours = readH1([bytes], { side })
  for (const pieces of everySplit(bytes))
    assert.deepEqual(readH1(pieces as Buffer[], { side }), ours)
  const { messages } =
    side === 'request' ? readRequests(bytes) : readResponses(bytes, [], false)
  for (const [at, message] of ours.messages.entries()) {
    // What the strict reading calls no answer (nobody asked to switch) is the caller's to see.
    if (message.start[1] === '101') break
    const other = messages[at]
    assert.deepEqual(message.start, other?.start)
    const fields = other?.fields.flatMap(({ name, value }) => [name, value])
    assert.deepEqual(message.fields, fields)
    assert.equal(message.body, other?.body.toString('latin1'))
  }
  const [first] = ours.messages
  if (strict && typeof expected.method === 'string' && first !== undefined)
    assert.deepEqual([first.start[0], first.start[1]], [expected.method, expected.url])
  // llhttp ends there what the codec's caller ends.
  const last = ours.messages.findIndex(
    ({ start, persists, upgrade }) => !persists || upgrade || start[0] === 'CONNECT',
  )
  const taken = last < 0 ? ours.messages.length : last + 1
  if (strict) assert.ok(taken <= expected.messages_complete)
  return ours.messages.length
}

describe('rows of raw messages', () => {
  it('are read by the codec as they were meant, or not at all', () => {
    const rows = rowsOf(fixtureFile('http', 'messages.jsonl'))
    const taken = rows.map(check)
    assert.ok(rows.length > 70 && taken.filter((count) => count > 0).length > 30)
  })

  it("are read so of a well-known parser's own cases", function () {
    const file = recordedCases(this, 'http', 'llhttp.jsonl')
    for (const row of rowsOf(file)) check(row)
  })
})
