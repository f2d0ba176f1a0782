import assert from 'node:assert/strict'
import { httpCases } from '../../../tools/cases/http.js'
import { readRequests, readResponses } from '../../../tools/cases/http-messages.js'
import type { Row } from '../../../tools/cases/kind.js'
import { runFiles } from '../../../tools/cases/run.js'
import { countLines, fixtureFile } from '../../support/fixtures.js'
import { recordedCases } from '../../support/needs.js'

async function assertAllRight(file: string): Promise<void> {
  const said: string[] = []
  const tally = await runFiles(httpCases, [file], (line) => said.push(line))
  const right = await countLines(file)
  assert.deepEqual(tally, { right, wrong: 0, skipped: 0 }, said.join('\n'))
}

describe('raw messages', () => {
  it('go on as they were meant, or not at all', async () => {
    await assertAllRight(fixtureFile('http', 'messages.jsonl'))
  })

  it("go on or not in a well-known parser's own cases", async function () {
    const file = recordedCases(this, 'http', 'llhttp.jsonl')
    await assertAllRight(file)
  })
})

describe('a raw message whose expectation is wrong', () => {
  const post = 'POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nab'
  const right = { accepted: true, messages_complete: 1, method: 'POST', url: '/a' }
  const rows: readonly (readonly [string, string, string, Row])[] = [
    ['method', 'request', post, { ...right, method: 'PUT' }],
    ['target', 'request', post, { ...right, url: '/b' }],
    ['bodies', 'request', post, { ...right, bodies: ['xy'] }],
    ['verdict', 'request', post, { ...right, accepted: false, messages_complete: 0 }],
  ]
  for (const [what, side, raw, expected] of rows) {
    it(`is found by its ${what}`, async () => {
      await using runner = await httpCases.open()
      const raw_b64 = Buffer.from(raw).toString('base64')
      const outcome = await runner.run({ side, strict: true, raw_b64, expected })
      assert.equal(outcome.kind, 'wrong')
    })
  }
})

describe('the strict reading', () => {
  for (const [text, messages, rest] of [
    ['GET / HTTP/1.1\r\n\r\n', 1, 'nothing'],
    ['GET / HTTP/1.1\r\nA: b\r\n', 0, 'incomplete'],
    ['GET / HTTP/1.1\r\nA : b\r\n\r\n', 0, 'malformed'],
    ['GET / HTTP/1.1\nA: b\n\n', 0, 'incomplete'],
    ['POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab', 0, 'incomplete'],
    ['POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nabc d e\r\n\r\n', 1, 'malformed'],
    [
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
      1,
      'nothing',
    ],
    [
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
      0,
      'malformed',
    ],
  ] as const) {
    it(`of ${JSON.stringify(text)} finds ${messages}, then ${rest}`, () => {
      const read = readRequests(Buffer.from(text))
      assert.deepEqual([read.messages.length, read.rest], [messages, rest])
    })
  }

  it('of a response without a length ends with the connection', () => {
    const bytes = Buffer.from('HTTP/1.1 200 OK\r\n\r\nall of it')
    assert.equal(readResponses(bytes, ['GET'], false).rest, 'until-close')
    assert.equal(
      readResponses(bytes, ['GET'], true).messages[0]?.body.toString(),
      'all of it',
    )
  })
})

describe('a raw message that does not say whose it is', () => {
  const messages: readonly (readonly [string, Row])[] = [
    ['GET /a HTTP/1.1\r\nHost: x\r\n\r\n', { method: 'GET', url: '/a' }],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab', { bodies: ['ab'] }],
  ]
  for (const [raw, more] of messages)
    it(`is told by its first line: ${raw.slice(0, 8)}`, async () => {
      await using runner = await httpCases.open()
      const expected = { accepted: true, messages_complete: 1, ...more }
      const row = { raw_b64: Buffer.from(raw).toString('base64'), expected }
      assert.deepEqual(await runner.run(row), { kind: 'right' })
    })
})
