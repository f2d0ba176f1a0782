import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { PolicyDatabase } from '../../../src/household/policy-database.js'
import { tempFolder } from '../../support/temp-folder.js'
import { behind, endedExchanges, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const POLICY = `package yori.private_texts
parameters := {"texts": {"type": "strings", "default": [], "description": "What is private."}}
redactions contains {"text": text, "label": "private"} if {
	some text in data.params.texts
	contains(input.prompt, text)
}
redact contains "it holds what is private" if count(redactions) > 0
`
const ACCOUNT = 'DE89 3704 0044 0532 0130 00'
const REDACTING = {
  mode: 'enforce',
  enforcement: {
    enabled: true,
    consent_accepted: true,
    emergency_override: { enabled: true },
  },
  policies: {
    files: { private_texts: { action: 'block', params: { texts: [ACCOUNT] } } },
  },
}

function readyMade(config: Record<string, unknown>): ReturnType<typeof home> {
  return home(config, false)
}

interface Seen {
  readonly body: string
  readonly headers: NodeJS.Dict<string | string[]>
}

async function home(
  config: Record<string, unknown> = REDACTING,
  ownPolicy = true,
): Promise<Proxied & { readonly seen: Seen[] }> {
  const seen: Seen[] = []
  const folder = await tempFolder()
  writeFileSync(folder.file('private_texts.rego'), POLICY)
  const directory = ownPolicy ? { directory: folder.path } : {}
  const policies = { ...(config['policies'] as object), ...directory }
  const proxied = await behind(
    (incoming, response) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        seen.push({ body: Buffer.concat(chunks).toString(), headers: incoming.headers })
        response.end('{}')
      })
    },
    { ...config, policies },
  )
  await folder[Symbol.asyncDispose]()
  return Object.assign(proxied, { seen })
}

const SPACED = `{ "model": "gpt-4o", "seed": 12345678901234567890, "messages": [ {"role":"user", "content":"pay to ${ACCOUNT} please"} ], "user": "Ren\\u00e9" }`
const EXPECTED = SPACED.replace(ACCOUNT, '[[PRIVATE]]')

/** Without the digits, which hang on the household's key. */
function plain(body = ''): string {
  return body.replaceAll(/\[\[Y-([A-Z_]+)-[0-9a-f]{10}\]\]/g, '[[$1]]')
}

async function send(
  { yori }: Proxied,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const answer = await request(`https://${NAME}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: yori.dispatcher(),
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return { status: answer.statusCode, text: await answer.body.text() }
}

describe('a redaction', () => {
  it('takes out the passage and nothing else, and the row says so and does not hold it', async () => {
    await using setup = await home()
    const digest = { 'content-digest': 'sha-256=:AAAA:', 'x-kept': 'yes' }
    assert.equal((await send(setup, SPACED, digest)).status, 200)
    const [seen] = setup.seen
    assert.ok(seen !== undefined)
    assert.equal(plain(seen.body), EXPECTED)
    assert.equal(seen.headers['content-length'], String(Buffer.byteLength(seen.body)))
    assert.equal(seen.headers['accept-encoding'], 'identity')
    assert.equal(seen.headers['content-digest'], undefined, 'it spoke of other bytes')
    assert.equal(seen.headers['x-kept'], 'yes')
    const [row] = await setup.yori.rows('audit_events')
    assert.equal(row?.['redacted'], 1)
    assert.equal(row['enforcement_action'], 'redact')
    assert.equal(row['policy_name'], 'private_texts')
    assert.equal(row['policy_decision'], 'alert')
    assert.match(
      String(row['prompt_preview']),
      /pay to \[\[Y-PRIVATE-[0-9a-f]{10}\]\] please/,
    )
    const kept = JSON.stringify([
      await setup.yori.rows('exchanges'),
      await setup.yori.rows('audit_log'),
    ])
    assert.doesNotMatch(kept, /DE89/)
  })

  it('works on a body of unknown length', async () => {
    await using setup = await home()
    const { statusCode, body } = await request(`https://${NAME}/v1/chat/completions`, {
      method: 'POST',
      dispatcher: setup.yori.dispatcher(),
      headers: { 'content-type': 'application/json' },
      body: Readable.from([SPACED.slice(0, 120), SPACED.slice(120)]),
    })
    await body.dump()
    assert.equal(statusCode, 200)
    assert.equal(plain(setup.seen[0]?.body), EXPECTED)
  })

  it('leaves every byte of a request alone in which there is nothing to take out', async () => {
    await using setup = await home()
    const body = SPACED.replace(ACCOUNT, 'DE89 3704')
    await send(setup, body)
    assert.equal(setup.seen[0]?.body, body)
    const [row] = await setup.yori.rows('audit_events')
    assert.equal(row?.['redacted'], null)
    assert.equal(row['enforcement_action'], 'allow')
  })

  for (const [title, change, decision] of [
    ['in observe', { mode: 'observe' }, 'alert'],
    ['in advisory', { mode: 'advisory' }, 'alert'],
    [
      'without consent to enforcement',
      { mode: 'observe', enforcement: { enabled: false } },
      'alert',
    ],
    [
      'when its action is alert',
      {
        policies: {
          files: { private_texts: { action: 'alert', params: { texts: [ACCOUNT] } } },
        },
      },
      'alert',
    ],
  ] as const) {
    it(`does not act ${title}`, async () => {
      await using setup = await home({ ...REDACTING, ...change })
      await send(setup, SPACED)
      assert.equal(setup.seen[0]?.body, SPACED)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['redacted'], null)
      assert.equal(row['policy_decision'], decision)
      assert.equal(row['policy_name'], 'private_texts')
    })
  }

  it('ends with the emergency override, which ends all enforcement', async () => {
    await using setup = await home()
    using database = new PolicyDatabase(setup.yori.folder.file('state/policy.db'))
    const activatedAt = Date.now()
    const expiresAt = activatedAt + 60_000
    database.activate({ activatedAt, expiresAt, by: 'anna', reason: 'doctor' })
    await until(async () => {
      await send(setup, SPACED)
      return setup.seen.at(-1)?.body === SPACED
    })
    const row = (await endedExchanges(setup.yori, setup.seen.length)).at(-1)
    assert.equal(row?.['bypass'], 'emergency_override')
    assert.equal(row['redacted'], null)
  })

  it('gives way to a block, and the row of the block does not hold the passage either', async () => {
    const files = { ...REDACTING.policies.files, default: { action: 'block' } }
    await using setup = await home({ ...REDACTING, policies: { files } })
    assert.equal((await send(setup, SPACED)).status, 403)
    assert.equal(setup.seen.length, 0)
    const [row] = await setup.yori.rows('audit_events')
    assert.equal(row?.['policy_name'], 'default')
    assert.equal(row['redacted'], null)
    assert.match(String(row['policy_message']), /private_texts: redact/)
    assert.doesNotMatch(JSON.stringify(row), /DE89/)
  })

  it('that cannot be done blocks, or lets pass where the operator says so', async () => {
    const signed = { authorization: 'AWS4-HMAC-SHA256 Credential=x' }
    {
      await using setup = await home()
      const { status, text } = await send(setup, SPACED, signed)
      assert.equal(status, 403)
      assert.match(text, /what is to be taken out of it cannot be/)
      assert.equal(setup.seen.length, 0)
      const [row] = await setup.yori.rows('audit_events')
      assert.equal(row?.['policy_name'], 'uninspectable')
      assert.doesNotMatch(JSON.stringify(row), /DE89/)
    }
    {
      const inspect = { on_uninspectable: 'allow' }
      await using setup = await home({ ...REDACTING, inspect })
      assert.equal((await send(setup, SPACED, signed)).status, 200)
      assert.equal(setup.seen[0]?.body, SPACED)
    }
  })

  it('takes out what the detectors find, as the privacy policy is told', async () => {
    const params = { redact: ['iban', 'email'] }
    const policies = { files: { privacy: { action: 'block', params } } }
    await using setup = await readyMade({ ...REDACTING, policies })
    const body = {
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'be kind' },
        {
          role: 'user',
          content: [{ type: 'text', text: `from ${ACCOUNT}, to x@y.org` }],
        },
      ],
    }
    assert.equal((await send(setup, JSON.stringify(body))).status, 200)
    const expected = structuredClone(body)
    const said = '[[IBAN_CODE]], to [[EMAIL_ADDRESS]]'
    ;(expected.messages[1]?.content as { text: string }[])[0] = Object.assign(
      { type: 'text', text: '' },
      { text: `from ${said}` },
    )
    assert.deepEqual(JSON.parse(plain(setup.seen[0]?.body)), expected)
    const [row] = await setup.yori.rows('audit_events')
    assert.equal(row?.['redacted'], 2)
    assert.equal(plain(String(row['prompt_preview'])), `from ${said}`)
  })

  it('takes out what is written in other signs, and blocks what stands nowhere', async () => {
    const params = { redact: ['credit_card'] }
    await using setup = await readyMade({
      ...REDACTING,
      policies: { files: { privacy: { action: 'block', params } } },
    })
    const user = (content: unknown) =>
      JSON.stringify({ messages: [{ role: 'user', content }] })
    const wide = user('pay ４１１１ １１１１ １１１１ １１１１ now')
    assert.equal((await send(setup, wide)).status, 200)
    assert.equal(plain(setup.seen[0]?.body), user('pay [[CREDIT_CARD]] now'))
    const encoded = Buffer.from('my card is 4111 1111 1111 1111').toString('base64')
    for (const hidden of [
      [{ type: 'file', file: { file_data: encoded } }],
      ['4111 1111', ' 1111 1111'].map((text) => ({ type: 'text', text })),
    ])
      assert.equal((await send(setup, user(hidden))).status, 403)
    // Said again: what was taken out before is taken out again.
    const again = JSON.stringify({
      messages: [
        { role: 'user', content: 'pay 4111 1111 1111 1111' },
        { role: 'assistant', content: 'no' },
        { role: 'user', content: 'why?' },
      ],
    })
    for (let turn = 0; turn < 3; turn++)
      assert.equal((await send(setup, again)).status, 200)
    for (const { body } of setup.seen) assert.doesNotMatch(body, /1111/)
  })

  it('leaves a compressed body alone, and blocks it', async () => {
    await using setup = await home()
    const { status } = await send(setup, gzipSync(SPACED), { 'content-encoding': 'gzip' })
    assert.equal(status, 403)
    assert.equal(setup.seen.length, 0)
  })

  it('keeps bodies for the record as they went on, where the operator wants them', async () => {
    await using setup = await home({ ...REDACTING, audit: { bodies: 'both' } })
    await send(setup, SPACED)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(plain(String(row?.['request_body'])), EXPECTED)
    assert.equal(row?.['response_body'], '{}')
  })
})
