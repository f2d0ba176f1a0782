/**
 * A body over the bound of what is inspected, from real clients over both versions of HTTP: its
 * first part and its newest are looked at, its row says by which bound it is partly unseen, and
 * `inspect.on_uninspectable` decides on the rest.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { PermissionDeniedError } from 'openai'
import { behind, endedExchanges, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { curl } from '../../support/programs.js'
import { openaiSdk } from '../../support/sdk.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import type { HttpVersion, Row, Yori } from '../../support/yori.js'

const CARD = '4111 1111 1111 1111'

function config(
  mode: string,
  inspect: { readonly on_uninspectable?: 'allow'; readonly max_body_bytes?: string },
): Record<string, unknown> {
  return {
    mode,
    enforcement: { enabled: true, consent_accepted: true },
    policies: { files: { privacy: { action: 'block' } } },
    inspect,
  }
}

const SMALL = { max_body_bytes: '1MiB' }
const ALLOW = { on_uninspectable: 'allow' } as const

/** Counts what reaches it. */
async function provider(settings: Record<string, unknown>) {
  const got: number[] = []
  const setup = await behind((incoming, response) => {
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length))
    incoming.on('end', () => {
      got.push(bytes)
      const message = { role: 'assistant', content: 'As you like.' }
      const choices = [{ index: 0, message, finish_reason: 'stop' }]
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ id: 'c', object: 'chat.completion', choices }))
    })
  }, settings)
  return {
    ...setup,
    setup,
    got,
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  }
}

interface Message {
  readonly role: 'user' | 'system'
  readonly content: string
}

const words = 'the quick brown fox jumps over the lazy dog, and so on. '

/** 100 messages, of 1.3 MB; what is given takes the place of the text of some. */
function messages(said: Readonly<Record<number, string>>, times = 1): Message[] {
  return Array.from({ length: 100 }, (_, i) => ({
    role: i === 0 ? 'system' : 'user',
    content: said[i] ?? `${i}: ${words.repeat(235 * times)}`,
  }))
}

/** Gives the text of a refusal, or of the answer. */
async function ask(
  { yori }: Proxied,
  said: Message[],
  version: HttpVersion,
): Promise<string> {
  const sdk = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
  try {
    const { choices } = await sdk.chat.completions.create({
      model: 'gpt-4o',
      messages: said,
    })
    return choices[0]?.message.content ?? ''
  } catch (error) {
    assert.ok(error instanceof PermissionDeniedError, String(error))
    return error.message
  }
}

/** Once each has been read to its end: its row may be there before. */
async function readExchanges(yori: Yori, count: number): Promise<Row[]> {
  let rows: Row[] = []
  await until(async () => {
    rows = await endedExchanges(yori, count)
    return rows.every((row) => row['response_id'] !== null)
  })
  return rows
}

for (const version of HTTP_VERSIONS) {
  describe(`a body over the bound over ${version}`, () => {
    it('of ten megabytes passes where that is chosen, and not with a card in the newest or first', async () => {
      await using it = await provider(config('enforce', ALLOW))
      const told = (said: Readonly<Record<number, string>>) =>
        ask(it.setup, messages(said, 8), version)
      assert.equal(await told({}), 'As you like.')
      assert.match(await told({ 99: `my card is ${CARD}` }), /a card number/)
      assert.match(await told({ 1: `my card is ${CARD}` }), /a card number/)
      // Where nobody looked.
      assert.equal(await told({ 30: `my card is ${CARD}` }), 'As you like.')
      assert.equal(it.got.length, 2)
      assert.ok(it.got.every((bytes) => bytes > 10_000_000))
      const rows = await endedExchanges(it.yori, 4)
      assert.deepEqual(
        rows.map((row) => [row['event_type'], row['uninspectable'], row['unseen_by']]),
        ['response', 'block', 'block', 'response'].map((type) => [
          type,
          'partly-unseen',
          'inspect.max_body_bytes',
        ]),
      )
      assert.deepEqual(
        rows.map((row) => row['findings']),
        ['{}', '{"credit_card":1}', '{"credit_card":1}', '{}'],
      )
    })

    it('is blocked unless that is chosen, by a sentence that names the bound', async () => {
      await using it = await provider(config('enforce', SMALL))
      const refused = await ask(it.setup, messages({}), version)
      assert.match(refused, /larger than what is inspected \(inspect\.max_body_bytes\)/)
      assert.deepEqual(it.got, [])
    })

    it('is found out in observe, and passes', async () => {
      await using it = await provider(config('observe', SMALL))
      for (const place of [1, 99])
        assert.equal(
          await ask(it.setup, messages({ [place]: `${place}: ${CARD}` }), version),
          'As you like.',
        )
      const rows = await readExchanges(it.yori, 2)
      assert.deepEqual(
        rows.map((row) => [row['policy_decision'], row['unseen_by'], row['findings']]),
        [1, 99].map(() => ['deny', 'inspect.max_body_bytes', '{"credit_card":1}']),
      )
    })

    it('is looked at when curl sends it in chunks', async () => {
      await using it = await provider(config('enforce', { ...SMALL, ...ALLOW }))
      const { yori } = it
      const file = yori.folder.file('body.json')
      for (const [said, expected] of [
        [{}, ' 200'],
        [{ 99: CARD }, ' 403'],
      ] as const) {
        const body = { messages: messages(said), model: 'gpt-4o', tools: [] }
        await writeFile(file, JSON.stringify(body))
        const ran = await curl([
          ...[version === 'h2' ? '--http2' : '--http1.1', '--cacert', yori.rootFile],
          ...['--proxy', yori.url, '--header', 'content-type: application/json'],
          ...(version === 'h2' ? [] : ['--header', 'transfer-encoding: chunked']),
          ...['--data-binary', `@${file}`, '--write-out', ' %{response_code}'],
          `https://${NAME}/v1/chat/completions`,
        ])
        assert.equal(ran.stderr, '')
        assert.ok(ran.stdout.toString().endsWith(expected), ran.stdout.toString())
      }
      const rows = await endedExchanges(yori, 2)
      // It stands behind all of the messages.
      assert.deepEqual(
        rows.map((row) => row['model']),
        ['gpt-4o', 'gpt-4o'],
      )
    })
  })
}

/** Base64 of no text, whose bytes follow from one number; `between` stands near its end. */
function noise(bytes: number, between: string): string {
  const made = Buffer.alloc(bytes)
  let state = 1
  for (let at = 0; at < bytes; at++) {
    state = (state * 48_271) % 0x7fff_ffff
    made[at] = state >> 8
  }
  const text = made.toString('base64')
  const near = Math.floor(text.length * 0.95)
  return `${text.slice(0, near)}${between}${text.slice(near)}`
}

/** As it comes about by chance in every few megabytes. */
const ACCOUNT = '/DE89370400440532013000/'

describe('the newest of a long body', () => {
  for (const version of HTTP_VERSIONS)
    it(`is no text where it is cut in an attachment over ${version}, unless that is one`, async () => {
      await using it = await provider(config('enforce', { ...SMALL, ...ALLOW }))
      const sdk = openaiSdk({ dispatcher: it.yori.dispatcher(undefined, version) })
      const sent = (type: string, data: string) =>
        sdk.chat.completions.create({
          model: 'gpt-4o',
          messages: [
            {
              role: 'user',
              content: [
                { type: 'file', file: { file_data: `data:${type};base64,${data}` } },
              ],
            },
          ],
        })
      // Whatever of its groups of four is left.
      for (const more of [0, 1, 2, 3]) {
        const photo = `/9j/4AAQSkZJRgAB${noise(3_000_000, ACCOUNT)}`
        const { choices } = await sent('image/jpeg', photo.slice(0, -4 - more))
        assert.equal(choices[0]?.message.content, 'As you like.')
        const file = `${words.repeat(40_000)}${CARD}${' '.repeat(more)}`
        await assert.rejects(
          sent('text/plain', Buffer.from(file).toString('base64')),
          /a card number/,
        )
      }
    })

  it("counts by whose words it is, and what it is cut in as a person's", async () => {
    await using it = await provider(config('enforce', { ...SMALL, ...ALLOW }))
    const address = 'write to kim@example.org, 4111 1111 1111 1111'
    const last = { role: 'system' as const, content: address }
    assert.equal(
      await ask(it.setup, [...messages({}).slice(0, -1), last], 'h1'),
      'As you like.',
    )
    // One long message, its beginning is not there.
    const long = `${words.repeat(25_000)}${CARD}`
    assert.match(
      await ask(it.setup, [{ role: 'user', content: long }], 'h1'),
      /a card number/,
    )
  })
})
