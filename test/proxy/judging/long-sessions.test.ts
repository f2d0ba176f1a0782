/**
 * Long sessions in enforce, over both versions of HTTP: ordinary text passes at every turn,
 * what must not pass is found wherever it stands, and bodies of one device wait in line.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { ByteBudget, Hold } from '../../../src/proxy/bounds/byte-budget.js'
import { beforeH2, startH2Origin } from '../../support/h2-origin.js'
import { behind, endedExchanges, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { HTTP_VERSIONS } from '../../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: {
    files: {
      privacy: { action: 'block', params: { level: 'strict' } },
      model_allowlist: { action: 'block', params: { models: ['gpt-*'] } },
    },
  },
}
const CARD = '4111 1111 1111 1111'
const REPLY = 'That is how it is done.'
type Version = (typeof HTTP_VERSIONS)[number]
interface Message {
  readonly role: string
  readonly content: unknown
}

/** Says the same to whatever it is asked. */
function provider(config: Record<string, unknown> = ENFORCE): Promise<Proxied> {
  return behind((incoming, response) => {
    incoming.resume().on('end', () => {
      const message = { role: 'assistant', content: REPLY }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ choices: [{ index: 0, message }] }))
    })
  }, config)
}

async function ask({ yori }: Proxied, messages: readonly Message[], version: Version) {
  const answer = await request(`https://${NAME}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: yori.dispatcher(undefined, version),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages }),
  })
  return { status: answer.statusCode, text: await answer.body.text() }
}

/** Two megabytes of ordinary words, no two messages the same; quotes and umlauts among them. */
function session(): Message[] {
  const system = { role: 'system', content: 'The user is kim@example.org.' }
  const words = 'the "quick" brown fox jumps over the lazy dog\nand again ä '
  return [
    system,
    ...Array.from({ length: 500 }, (_, i) => ({
      role: 'user',
      content: `${i}: ${words.repeat(72)}`,
    })),
  ]
}

for (const version of HTTP_VERSIONS)
  describe(`a session of two megabytes over ${version}`, () => {
    it('passes at every turn, and what is new is looked at', async () => {
      await using setup = await provider()
      const messages = session()
      assert.ok(JSON.stringify(messages).length > 2_000_000)
      for (let turn = 0; turn < 3; turn++) {
        const { status, text } = await ask(setup, messages, version)
        assert.equal(status, 200, text)
        messages.push({ role: 'assistant', content: REPLY })
        messages.push({ role: 'user', content: `and what of ${turn}?` })
      }
      const blocked = await ask(
        setup,
        [...messages, { role: 'user', content: CARD }],
        version,
      )
      assert.equal(blocked.status, 403)
      assert.match(blocked.text, /a card number/)
      const rows = await endedExchanges(setup.yori, 4)
      assert.deepEqual(
        rows.map((row) => [row['event_type'], row['model'], row['uninspectable']]),
        ['response', 'response', 'response', 'block'].map((type) => [
          type,
          'gpt-4o',
          null,
        ]),
      )
      assert.equal(new Set(rows.map((row) => row['session_id'])).size, 1)
    })

    it('does not pass with a card number in its middle', async () => {
      await using setup = await provider()
      const messages = session()
      messages[250] = { role: 'user', content: `my card is ${CARD}, and so on` }
      assert.match((await ask(setup, messages, version)).text, /a card number/)
      // One long message, and a long text in its middle.
      const long = `${'some words '.repeat(90_000)}${CARD}${' and others'.repeat(90_000)}`
      const one = await ask(setup, [{ role: 'user', content: long }], version)
      assert.match(one.text, /a card number/)
    })

    it('passes with photographs in it, which are no text', async () => {
      await using setup = await provider()
      const photo = Buffer.alloc(900_000, 'ÿØÿà photo', 'latin1').toString('base64')
      const url = `data:image/jpeg;base64,${photo}`
      const content = [
        { type: 'text', text: 'what is this?' },
        ...[1, 2, 3].map(() => ({ type: 'image_url', image_url: { url } })),
      ]
      const { status, text } = await ask(setup, [{ role: 'user', content }], version)
      assert.equal(status, 200, text)
    })
  })

describe('a long body that was held', () => {
  const words = Array.from({ length: 300_000 }, (_, i) => `some words of line ${i}\n`)
  const body = Buffer.from(words.join('').slice(0, 5 << 20))
  const digest = (bytes: Buffer): string =>
    createHash('sha256').update(bytes).digest('hex')
  const post = async (
    { yori }: Pick<Proxied, 'yori'>,
    version: Version,
    sent: Buffer | Readable,
  ) => {
    const answer = await request(`https://${NAME}/v1/files`, {
      method: 'POST',
      dispatcher: yori.dispatcher(undefined, version),
      headers: { 'content-type': 'text/plain' },
      body: sent,
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
  const chunks = (): Readable =>
    Readable.from(
      Array.from({ length: 80 }, (_, i) => body.subarray(i << 16, (i + 1) << 16)),
    )

  for (const version of HTTP_VERSIONS)
    it(`goes up byte for byte from a client of ${version}, its length said or not`, async () => {
      const read: string[] = []
      await using one = await behind((incoming, response) => {
        const hash = createHash('sha256')
        incoming.on('data', (chunk: Buffer) => hash.update(chunk))
        incoming.on('end', () => {
          read.push(hash.digest('hex'))
          response.end('ok')
        })
      }, ENFORCE)
      await using origin = await startH2Origin((stream) => {
        const hash = createHash('sha256')
        stream.on('data', (chunk: Buffer) => hash.update(chunk))
        stream.on('end', () => {
          read.push(hash.digest('hex'))
          stream.respond({ ':status': 200 })
          stream.end('ok')
        })
      })
      await using other = await beforeH2(origin, ENFORCE)
      for (const setup of [one, other])
        for (const sent of [body, chunks()])
          assert.deepEqual(await post(setup, version, sent), { status: 200, text: 'ok' })
      assert.deepEqual(read, Array(4).fill(digest(body)))
    })

  it('may be answered before the provider has taken all of it', async () => {
    await using setup = await behind((incoming, response) => {
      incoming.once('data', () => {
        incoming.pause()
        response.writeHead(413, { connection: 'close' })
        response.end('too long')
      })
    }, ENFORCE)
    assert.deepEqual(await post(setup, 'h1', body), { status: 413, text: 'too long' })
  })
})

describe('what is longer than what is inspected', () => {
  it('is told to who looks at a bounded part of it, and to nobody else', async () => {
    await using setup = await provider()
    const policy = (path: string) =>
      `package yori.mine\ndeny contains "no tigers" if contains(${path}, "tiger")\n`
    const long = [
      { role: 'user', content: 'words '.repeat(60_000) },
      { role: 'user', content: 'thank you' },
    ]
    for (const [path, status, why] of [
      ['input.prompt', 403, /its prompt is longer than what a policy sees/],
      ['input.text', 200, /choices/],
      ['input.said.person', 200, /choices/],
    ] as const) {
      await writeFile(setup.yori.folder.file('mine.rego'), policy(path))
      const files = { mine: { action: 'block' } }
      const policies = { directory: setup.yori.folder.path, files }
      await setup.yori.reload({ ...ENFORCE, policies })
      const answer = await ask(setup, long, 'h1')
      assert.equal(answer.status, status, path)
      assert.match(answer.text, why)
      assert.equal(
        (await ask(setup, [{ role: 'user', content: 'hi' }], 'h1')).status,
        200,
      )
      const tiger = [...long, { role: 'user', content: 'a tiger' }]
      assert.equal((await ask(setup, tiger, 'h1')).status, 403)
    }
  })

  it('is partly unseen, and its row says so', async () => {
    const inspect = { max_body_bytes: '1MiB', on_uninspectable: 'allow' }
    await using setup = await provider({ ...ENFORCE, inspect })
    assert.equal((await ask(setup, session(), 'h1')).status, 200)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['uninspectable'], 'partly-unseen')
  })
})

describe('bodies of one device', () => {
  it('wait in line for room instead of being refused', async () => {
    const limits = { held_body_bytes_per_client: '3MiB' }
    await using setup = await provider({ ...ENFORCE, limits })
    const messages = session()
    const answers = await Promise.all(
      [0, 1, 2, 3].map((i) =>
        ask(setup, [...messages, { role: 'user', content: `number ${i}` }], 'h1'),
      ),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    )
  })

  it('are served in their order, beside those of another', () => {
    const budget = new ByteBudget(100, 60)
    const [a, b, c] = ['kim', 'kim', 'lee'].map((client) => new Hold(budget, client))
    const served: string[] = []
    const first = new Hold(budget, 'kim')
    assert.ok(first.take(50))
    assert.ok(a && b && c)
    a.wait(40, () => served.push('a'))
    const leave = b.wait(10, () => served.push('b'))
    // Room for it would be there, but it came later.
    c.wait(20, () => served.push('c'))
    assert.deepEqual(served, ['c'])
    first.release()
    assert.deepEqual(served, ['c', 'a', 'b'])
    leave?.()
    assert.equal(budget.waiting, 0)
    assert.equal(budget.held, 70)
    assert.equal(
      a.wait(61, () => served.push('never')),
      undefined,
    )
    const gone = b.wait(60, () => served.push('gone'))
    gone?.()
    for (const hold of [a, b, c]) hold.release()
    assert.deepEqual(served, ['c', 'a', 'b'])
    assert.equal(budget.held, 0)
  })
})
