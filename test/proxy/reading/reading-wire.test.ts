/** What the record says of an exchange whose bodies are read after they have passed. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { ask, behind, disposable, endedExchanges } from '../../support/proxied.js'
import { NAME, until } from '../../support/proxied.js'

const asked = JSON.stringify({
  model: 'gpt-4.1-mini',
  stream: false,
  messages: [{ role: 'user', content: 'What is the time?' }],
})

describe('Reading over the wire', () => {
  for (const [how, framing, body] of [
    ['of known length', `Content-Length: ${asked.length}`, asked],
    [
      'in chunks',
      'Transfer-Encoding: chunked',
      `${asked.length.toString(16)}\r\n${asked}\r\n0\r\n\r\n`,
    ],
  ] as const) {
    it(`records what a request ${how} asked for`, async () => {
      await using setup = await behind((request, response) => {
        request.resume().on('end', () => response.end('{}'))
      })
      using socket = disposable(await setup.yori.tls(NAME))
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${NAME}\r\n`
      const type = 'Content-Type: application/json\r\n'
      await ask(socket.stream, `${head}${type}${framing}\r\n\r\n${body}`, (soFar) =>
        soFar.includes('{}'),
      )
      const [row] = await endedExchanges(setup.yori, 1)
      assert.deepEqual(
        [row?.['model'], row?.['stream'], row?.['prompt_preview']],
        ['gpt-4.1-mini', 0, 'What is the time?'],
      )
    })
  }

  // An answer that says what it cost, after a filler that compresses a thousandfold.
  const answer = JSON.stringify({
    model: 'gpt-4.1-mini',
    filler: 'x'.repeat(3 * 1024 * 1024),
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  })
  for (const [title, limits, read] of [
    ['reads a coded answer within its limits', { decompression_ratio: 5_000 }, true],
    ['reads none of a higher ratio', { decompression_ratio: 100 }, false],
    [
      'reads none that is longer than it may become',
      { decompression_ratio: 5_000, decompressed_bytes: 1024 * 1024 },
      false,
    ],
  ] as const) {
    it(`${title}; the client gets all the same`, async () => {
      const coded = gzipSync(answer)
      const handler: RequestListener = (request, response) => {
        const fields = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
        request.resume().on('end', () => response.writeHead(200, fields).end(coded))
      }
      await using setup = await behind(handler, { limits })
      const client = setup.yori.dispatcher()
      const reply = await request(`https://${NAME}/v1/chat/completions`, {
        dispatcher: client,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: asked,
      })
      const got = Buffer.from(await reply.body.arrayBuffer())
      assert.ok(got.equals(coded))
      // Once the coding has been undone, which the answer does not wait for.
      await until(async () => {
        const [row] = await setup.yori.rows('exchanges')
        return row?.['prompt_tokens'] !== null || row['uninspectable'] !== null
      })
      const [row] = await setup.yori.rows('exchanges')
      assert.deepEqual(
        [row?.['tokens_estimated'], row?.['uninspectable']],
        read ? [0, null] : [1, 'response'],
      )
    })
  }
})
