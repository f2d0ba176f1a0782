/** What the record says of an exchange whose bodies are read after they have passed. */
import assert from 'node:assert/strict'
import { ask, behind, disposable, endedExchanges, NAME } from '../support/proxied.js'

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
})
