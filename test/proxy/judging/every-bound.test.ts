/**
 * Each bound on the way to a policy, and a card number behind it: it is found, or the request is
 * refused for what was not looked at, and the row says so. In silence nothing passes. The figures
 * are one over each bound of the code, of the configuration, or of what an agent could send.
 */
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { behind, endedExchanges, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { HTTP_VERSIONS } from '../../support/yori.js'

const CARD = 'pay with 4111 1111 1111 1111 please'
const CHAT = '/v1/chat/completions'
const RESPONSES = '/v1/responses'
const many = <Item>(count: number, item: (i: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i))
const user = (content: unknown): object => ({ role: 'user', content })
const chat = (...messages: unknown[]): string => JSON.stringify({ model: 'm', messages })
const words = (chars: number): string => 'lorem ipsum '.repeat(Math.ceil(chars / 12))
const base64 = (text: string): string => Buffer.from(text).toString('base64')

interface Sent {
  readonly path?: string
  readonly type?: string
  readonly coding?: string
  readonly body: string | Buffer
}

const placed = <Item>(
  card: string,
  count: number,
  at: number,
  item: (text: string) => Item,
): Item[] => many(count, (i) => item(i === at ? card : `item ${i}`))

/** These are over a bound of bytes: without the card they are refused as well, for that. */
const TOO_LONG = /9 MiB|12 MiB|80 MiB/

const OVER: Readonly<Record<string, (card: string) => Sent>> = {
  'the first of 2,001 messages': (card) => ({
    body: chat(...placed(card, 2_001, 0, user)),
  }),
  'one in the middle of 2,100 messages': (card) => ({
    body: chat(...placed(card, 2_100, 1_000, user)),
  }),
  'the last of 2,001 messages': (card) => ({
    body: chat(...placed(card, 2_001, 2_000, user)),
  }),
  'behind 33 Ki characters of a message': (card) => ({
    body: chat(user(words(33 * 1024) + card)),
  }),
  'behind 300 Ki characters of a message': (card) => ({
    body: chat(user(words(300 * 1024) + card)),
  }),
  'in the middle of 2 Mi characters': (card) => ({
    body: chat(user(words(1024 * 1024) + card + words(1024 * 1024))),
  }),
  'the last of 300 results of tools': (card) => ({
    body: chat(
      ...placed(card, 300, 299, (content) => ({
        role: 'tool',
        tool_call_id: 'c',
        content,
      })),
    ),
  }),
  'the last of 300 calls of tools': (card) => ({
    body: chat({
      role: 'assistant',
      tool_calls: placed(card, 300, 299, (text) => ({
        id: 'c',
        function: { name: 'f', arguments: JSON.stringify({ text }) },
      })),
    }),
  }),
  'the last of 300 parts': (card) => ({
    body: chat(user(placed(card, 300, 299, (text) => ({ type: 'text', text })))),
  }),
  'the last of 300 text files': (card) => ({
    body: chat(
      user(
        placed(card, 300, 299, (text) => ({
          type: 'file',
          file: { file_data: `data:text/plain;base64,${base64(text)}` },
        })),
      ),
    ),
  }),
  'the last of 300 items of a response': (card) => ({
    path: RESPONSES,
    body: JSON.stringify({
      model: 'm',
      input: placed(card, 300, 299, (output) => ({
        type: 'function_call_output',
        output,
      })),
    }),
  }),
  'the last of 21,000 values': (card) => ({
    body: JSON.stringify({
      model: 'm',
      messages: [user('hi')],
      x: placed(card, 21_000, 20_999, String),
    }),
  }),
  'the last of 60,000 values': (card) => ({
    body: JSON.stringify({
      model: 'm',
      messages: [user('hi')],
      x: placed(card, 60_000, 59_999, String),
    }),
  }),
  'the name of the last of 30,000 fields': (card) => ({
    body: JSON.stringify({
      ...{ model: 'm', messages: [user('hi')] },
      x: Object.fromEntries<number>(
        placed(card, 30_001, 30_000, (name) => [name, 1] as const),
      ),
    }),
  }),
  'below 70 levels': (card) => ({
    body: `{"model":"m","messages":[{"role":"user","content":"hi"}],"x":${'['.repeat(70)}"${card}"${']'.repeat(70)}}`,
  }),
  'below 5,000 levels': (card) => ({
    body: `{"model":"m","messages":[{"role":"user","content":"hi"}],"x":${'['.repeat(5_000)}"${card}"${']'.repeat(5_000)}}`,
  }),
  'behind 9 MiB of another field': (card) => ({
    body: `{"model":"m","x":"${words(9 * 1024 * 1024)}","messages":[${JSON.stringify(user(card))}]}`,
  }),
  'the first of 9 MiB': (card) => ({
    body: `{"model":"m","messages":[${JSON.stringify(user(card))}],"x":"${words(9 * 1024 * 1024)}"}`,
  }),
  'the middle of 12 MiB': (card) => ({
    body: chat(user(words(6 * 1024 * 1024) + card + words(6 * 1024 * 1024))),
  }),
  'the last of 300 parts of a form': (card) => ({
    path: '/v1/files',
    type: 'multipart/form-data; boundary=b',
    body: `${placed(
      card,
      300,
      299,
      (text) =>
        `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${text}\r\n`,
    ).join('')}--b--\r\n`,
  }),
  'the last of 20,000 lines': (card) => ({
    path: '/v1/batches',
    type: 'application/x-ndjson',
    body: placed(card, 20_000, 19_999, (text) => `${JSON.stringify({ text })}\n`).join(
      '',
    ),
  }),
  'the last of 5,000 fields of a form': (card) => ({
    path: '/v1/telemetry',
    type: 'application/x-www-form-urlencoded',
    body: placed(card, 5_000, 4_999, (text) => `f=${encodeURIComponent(text)}`).join('&'),
  }),
  'the end of a megabyte of plain text': (card) => ({
    path: '/v1/notes',
    type: 'text/plain',
    body: words(1024 * 1024) + card,
  }),
  'behind a name of 20 Ki characters': (card) => ({
    body: JSON.stringify({
      model: 'm',
      messages: [user('hi')],
      [words(20 * 1024)]: card,
    }),
  }),
  'a file of a megabyte in base64': (card) => ({
    body: chat(
      user([
        {
          type: 'file',
          file: {
            file_data: `data:text/plain;base64,${base64(words(1024 * 1024) + card)}`,
          },
        },
      ]),
    ),
  }),
  'JSON in JSON in JSON': (card) => ({
    body: chat({
      role: 'tool',
      content: JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ c: card }) }) }),
    }),
  }),
  'behind 3,000 other findings': (card) => ({
    body: chat(user(`${many(3_000, (i) => `192.0.2.${i % 250}`).join(' ')} ${card}`)),
  }),
  'behind 9 MiB that were packed': (card) => ({
    coding: 'gzip',
    body: gzipSync(chat(user(words(9 * 1024 * 1024) + card))),
  }),
  'behind 80 MiB that were packed': (card) => ({
    coding: 'gzip',
    body: gzipSync(chat(user(words(80 * 1024 * 1024) + card))),
  }),
}

/** What a row may say of a request that went no further. */
const UNSEEN =
  /^(partly-unseen|too-deep|too-many-values|no-room|content-coding|malformed)$/

describe('a card number behind a bound', () => {
  for (const version of HTTP_VERSIONS)
    describe(`over ${version}`, () => {
      let proxied: Proxied
      let reached = 0
      before(async () => {
        proxied = await behind(
          (incoming, response) => {
            reached++
            incoming.resume()
            incoming.on('end', () => response.end('{}'))
          },
          {
            mode: 'enforce',
            enforcement: { enabled: true, consent_accepted: true },
            inspect: { on_uninspectable: 'block' },
            policies: {
              files: {
                privacy: { action: 'block' },
              },
            },
          },
        )
      })
      after(() => proxied[Symbol.asyncDispose]())

      const ask = async ({
        path = CHAT,
        type = 'application/json',
        coding,
        body,
      }: Sent) => {
        const { yori } = proxied
        const before = reached
        const answer = await request(`https://${NAME}${path}`, {
          method: 'POST',
          dispatcher: yori.dispatcher(undefined, version),
          headers: {
            'content-type': type,
            ...(coding === undefined ? {} : { 'content-encoding': coding }),
          },
          body,
        })
        const text = await answer.body.text()
        const rows = await endedExchanges(yori, 1)
        const row = rows.find((one) => text.includes(String(one['request_id']))) ?? {}
        const { uninspectable, policy_name: policy } = row
        return {
          status: answer.statusCode,
          text,
          reached: reached - before,
          uninspectable,
          policy,
        }
      }

      for (const [where, sent] of Object.entries(OVER))
        it(`does not pass in silence, and nothing else is refused: ${where}`, async () => {
          const found = await ask(sent(CARD))
          const said = JSON.stringify(found).slice(0, 400)
          assert.equal(found.reached, 0, `it reached the provider: ${said}`)
          assert.equal(found.status, 403, said)
          const isUnseen = UNSEEN.test(String(found.uninspectable))
          const isTooLong = TOO_LONG.test(where)
          assert.ok(found.policy === 'privacy' || (isTooLong && isUnseen), said)
          if (version === 'h2') return
          const harmless = await ask(sent('nothing that anybody minds'))
          assert.equal(harmless.status, isTooLong ? 403 : 200, JSON.stringify(harmless))
        })
    })
})
