/**
 * Conversations whose media take another way: offers of WebRTC, calls of SIP, ephemeral keys.
 * What sets them up is read and judged like any request; what is said in them nobody sees, and
 * that is told.
 */
import assert from 'node:assert/strict'
import { GoogleGenAI } from '@google/genai'
import { fetch, FormData } from 'undici'
import type { RequestInit } from 'undici'
import { openReader } from '../../../src/audit/queries.js'
import { startOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { endedExchanges, NAME, originCa, until } from '../../support/proxied.js'
import { openaiSdk } from '../../support/sdk.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'
import type { HttpVersion, Row } from '../../support/yori.js'

const GOOGLE = 'generativelanguage.googleapis.com'

/** One that is valid by its check digit, ISO/IEC 7812-1. */
function cardNumber(serial: number): string {
  const digits = `411111${String(1_000_000 + serial * 7919).padStart(9, '0')}`
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return digits + String((10 - (sum % 10)) % 10)
}
const KEY = 'ek_0123456789abcdef0123456789abcdef'

/** As Chromium makes one: RFC 8866, with addresses that are no person's. */
const OFFER = [
  ...['v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0'],
  ...[
    'a=group:BUNDLE 0 1',
    'm=audio 58779 UDP/TLS/RTP/SAVPF 111 63',
    'c=IN IP4 192.0.2.7',
  ],
  'a=candidate:1467250027 1 udp 2122260223 192.0.2.7 58779 typ host generation 0',
  'a=ice-ufrag:4ZcD',
  'a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F',
  ...['a=setup:actpass', 'a=mid:0', 'a=rtpmap:111 opus/48000/2', ''],
].join('\r\n')

const TOOL = {
  type: 'function',
  name: 'open_door',
  description: 'opens it',
  parameters: {},
} as const

interface Session {
  instructions?: string
  model?: string
  person?: string
}

function sessionOf({
  instructions = 'Be kind.',
  model = 'gpt-realtime',
  person,
}: Session) {
  const prompt =
    person === undefined ? {} : { prompt: { id: 'p', variables: { person } } }
  return { type: 'realtime' as const, model, instructions, tools: [TOOL], ...prompt }
}

interface Way {
  readonly path: string
  readonly model: string | null
  readonly tools: boolean
  readonly isCall: boolean
  readonly ask: (yori: Yori, version: HttpVersion, session?: Session) => Promise<number>
}

/** The answer of undici's fetch, which is Node's own. */
function posts(path: string, body: (session: Session) => RequestInit) {
  return async (yori: Yori, version: HttpVersion, session: Session = {}) => {
    const dispatcher = yori.dispatcher(undefined, version)
    const init = { method: 'POST', dispatcher, ...body(session) }
    const answer = await fetch(`https://${NAME}${path}`, init)
    await answer.text()
    return answer.status
  }
}

function postsJson(path: string, body: (session: Session) => object) {
  return posts(path, (session) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body(session)),
  }))
}

function form(session: Session): FormData {
  const body = new FormData()
  body.set('sdp', OFFER)
  body.set('session', JSON.stringify(sessionOf(session)))
  return body
}

async function statusOf(asked: Promise<unknown>): Promise<number> {
  try {
    await asked
    return 200
  } catch (error) {
    const { status } = error as { status?: number }
    if (status === undefined) throw error
    return status
  }
}

const CALLS: Way = {
  path: '/v1/realtime/calls',
  model: 'gpt-realtime',
  tools: true,
  isCall: true,
  ask: posts('/v1/realtime/calls', (session) => ({ body: form(session) })),
}

const SET_UP: readonly Way[] = [
  CALLS,
  {
    ...CALLS,
    path: '/v1/realtime/client_secrets',
    isCall: false,
    ask: (yori, version, session = {}) => {
      const { realtime } = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
      const prompt = sessionOf(session) as { type: 'realtime'; model: 'gpt-realtime' }
      return statusOf(realtime.clientSecrets.create({ session: prompt }))
    },
  },
  {
    ...CALLS,
    path: '/v1/realtime/calls/rtc_1/accept',
    ask: (yori, version, session = {}) => {
      const { realtime } = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
      const prompt = sessionOf(session) as { type: 'realtime'; model: 'gpt-realtime' }
      return statusOf(realtime.calls.accept('rtc_1', prompt))
    },
  },
  {
    ...CALLS,
    path: '/v1/realtime/sessions',
    isCall: false,
    ask: postsJson('/v1/realtime/sessions', sessionOf),
  },
  {
    ...CALLS,
    path: '/v1/realtime/transcription_sessions',
    model: 'gpt-4o-transcribe',
    tools: false,
    isCall: false,
    ask: postsJson(
      '/v1/realtime/transcription_sessions',
      ({ instructions, person, model }) => ({
        input_audio_transcription: {
          model: model ?? 'gpt-4o-transcribe',
          prompt: instructions ?? 'expect words about doors',
        },
        ...(person === undefined ? {} : { x_note: person }),
      }),
    ),
  },
  {
    // A path of the time after this was written.
    ...CALLS,
    path: '/v1/realtime/translations/client_secrets',
    isCall: false,
    ask: postsJson('/v1/realtime/translations/client_secrets', (session) => ({
      session: sessionOf(session),
    })),
  },
  {
    // A gateway of somebody's own.
    ...CALLS,
    path: '/gateway/offer',
    model: null,
    tools: false,
    ask: postsJson('/gateway/offer', ({ person }) => ({
      ...{ sdp: OFFER, type: 'offer' },
      ...(person === undefined ? {} : { note: person }),
    })),
  },
]

/** No session beside the offer: it was set up before, by whomever. */
const OFFER_ALONE: readonly Way[] = [
  '/v1/realtime/calls',
  '/v1/realtime?model=gpt-realtime',
  '/openai/v1/realtime/calls?webrtcfilter=on',
  '/v1/realtimertc?model=gpt-realtime',
  '/gateway/whip',
].map((path) => ({
  path: path.split('?')[0] as string,
  model: path.includes('model=') ? 'gpt-realtime' : null,
  tools: false,
  isCall: true,
  ask: posts(path, () => ({
    headers: { 'content-type': 'application/sdp' },
    body: OFFER,
  })),
}))

const WAYS = [...SET_UP, ...OFFER_ALONE]

const enforcing = (
  files: Record<string, unknown>,
  inspect: Record<string, unknown> = {},
) => ({
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files },
  inspect,
})

const SENTENCE =
  'the request could not be inspected: what is said in the conversation that it opens ' +
  'takes another way, which nobody here sees'

describe('a conversation that is had elsewhere', () => {
  let origin: Origin
  let heard = 0

  before(async () => {
    origin = await startOrigin({
      certificate: originCa.issue({ names: [NAME, GOOGLE] }),
      handler: (request, response) => {
        heard++
        request.resume().on('end', () => {
          if ((request.url ?? '').includes('/auth_tokens'))
            return void response
              .setHeader('content-type', 'application/json')
              .end(JSON.stringify({ name: `auth_tokens/${KEY}` }))
          if (request.url?.endsWith('/calls') === true)
            return void response
              .writeHead(201, {
                'content-type': 'application/sdp',
                location: '/calls/rtc_1',
              })
              .end(OFFER)
          response.setHeader('content-type', 'application/json')
          response.end(JSON.stringify({ value: KEY, session: { id: 'sess_1' } }))
        })
      },
    })
  })

  after(() => origin[Symbol.asyncDispose]())

  const started = (config: Record<string, unknown>): Promise<Yori> =>
    Yori.start({
      origins: { [NAME]: origin, [GOOGLE]: origin },
      trust: [originCa],
      config,
    })

  for (const version of HTTP_VERSIONS) {
    it(`is told as unseen, and its session is read, in observe over ${version}`, async () => {
      await using yori = await started({ audit: { bodies: 'both' } })
      for (const [index, way] of WAYS.entries()) {
        assert.ok((await way.ask(yori, version)) < 300, way.path)
        const row = (await endedExchanges(yori, index + 1)).at(-1)
        assert.equal(row?.['http_path'], way.path)
        assert.equal(row['uninspectable'], 'media-elsewhere', way.path)
        assert.equal(row['model'], way.model, way.path)
        assert.equal(row['is_call'], way.isCall ? 1 : 0, way.path)
        assert.equal(row['tools_offered'], way.tools ? '["open_door"]' : null, way.path)
        assert.doesNotMatch(JSON.stringify(row), new RegExp(KEY))
      }
      await yori.closeClients()
      await assertElsewhere(yori, WAYS.length)
    })

    it(`is decided by on_uninspectable where policies read content, over ${version}`, async () => {
      await using yori = await started(enforcing({ privacy: { action: 'block' } }))
      const before = heard
      for (const way of WAYS) assert.equal(await way.ask(yori, version), 403, way.path)
      assert.equal(heard, before, 'nothing went up')
      for (const row of await endedExchanges(yori, WAYS.length)) {
        assert.equal(row['event_type'], 'block', String(row['http_path']))
        assert.equal(row['policy_name'], 'uninspectable', String(row['http_path']))
        assert.equal(row['reason'], SENTENCE)
      }
      await yori.closeClients()
      await until(async () => (await yori.rows('connections')).length >= WAYS.length)
      for (const { coverage } of await yori.rows('connections'))
        assert.equal(coverage, 'inspected', 'no conversation was opened')
    })

    it(`is judged by what sets it up, over ${version}`, async () => {
      const guard = { action: 'block', params: { denied_tools: ['open_door'] } }
      const models = { action: 'block', params: { models: ['gpt-4o-mini'] } }
      await using yori = await started(
        enforcing(
          { privacy: { action: 'block' }, tool_guard: guard, model_allowlist: models },
          { on_uninspectable: 'allow' },
        ),
      )
      const ask = async (way: Way, session: Session): Promise<Row | undefined> => {
        const before = (await yori.rows('exchanges')).length
        await way.ask(yori, version, session)
        return (await endedExchanges(yori, before + 1)).at(-1)
      }
      for (const [n, way] of SET_UP.entries()) {
        // Another number each: the same one again would count in the row of the first.
        const person = `my card is ${cardNumber(n)}`
        const bad = await ask(way, { person, model: 'gpt-4o-mini' })
        assert.equal(bad?.['event_type'], 'block', way.path)
        assert.match(String(bad['findings']), /card/, way.path)
        if (way.model === null) continue
        const row = await ask(way, {})
        assert.equal(row?.['event_type'], 'block', way.path)
        if (!way.tools) assert.equal(row['policy_name'], 'model_allowlist')
      }
      // An offer is two programs' business: addresses in it are no person's.
      for (const way of OFFER_ALONE.filter(({ model }) => model === null)) {
        const row = await ask(way, {})
        assert.equal(row?.['event_type'], 'response', way.path)
        assert.equal(row['findings'] ?? '{}', '{}', way.path)
      }
    })
  }

  it('is set up by the key of @google/genai, over the direct way', async () => {
    for (const isHeld of [false, true]) {
      const config = isHeld ? enforcing({ privacy: { action: 'block' } }) : {}
      await using yori = await started(config)
      const httpOptions = { baseUrl: yori.url, apiVersion: 'v1alpha' }
      const client = new GoogleGenAI({ apiKey: 'simulated', httpOptions })
      const tools = [{ functionDeclarations: [{ name: 'open_door' }] }]
      const config_ = { systemInstruction: 'Be kind.', tools }
      const liveConnectConstraints = { model: 'gemini-live-2.5-flash', config: config_ }
      const made = client.authTokens.create({
        config: { uses: 1, liveConnectConstraints },
      })
      const status = await statusOf(made)
      assert.equal(status, isHeld ? 403 : 200)
      const [row] = await endedExchanges(yori, 1)
      assert.equal(row?.['provider'], 'gemini')
      assert.equal(row['http_path'], '/v1alpha/auth_tokens')
      assert.equal(row['model'], 'gemini-live-2.5-flash')
      assert.equal(row['tools_offered'], '["open_door"]')
      assert.equal(row['uninspectable'], 'media-elsewhere')
      assert.equal(row['reason'], isHeld ? SENTENCE : null)
    }
  })

  it('leaves alone what opens none', async () => {
    await using yori = await started(enforcing({ privacy: { action: 'block' } }))
    for (const version of HTTP_VERSIONS) {
      const { realtime } = openaiSdk({ dispatcher: yori.dispatcher(undefined, version) })
      await realtime.calls.hangup('rtc_1')
      await realtime.calls.refer('rtc_1', { target_uri: 'sip:door.example' })
    }
    for (const row of await endedExchanges(yori, 4)) {
      assert.equal(row['event_type'], 'response')
      assert.notEqual(row['uninspectable'], 'media-elsewhere')
    }
  })

  it('is not sure of two sessions in one form, nor of one that is no JSON', async () => {
    await using yori = await started(enforcing({ tool_guard: { action: 'block' } }))
    const twice = form({})
    twice.append('session', JSON.stringify(sessionOf({})))
    const broken = form({})
    broken.set('session', '{"tools": [{"name": "open_door"},]')
    const doubled = form({})
    doubled.set('session', '{"model": "a", "model": "b"}')
    for (const body of [twice, broken, doubled])
      assert.equal(await posts('/v1/realtime/calls', () => ({ body }))(yori, 'h1'), 403)
    const why = (await endedExchanges(yori, 3)).map(({ reason }) => String(reason))
    assert.match(why[0] ?? '', /a field of its form stands twice/)
    assert.match(why[2] ?? '', /a key of its session stands twice/)
  })
})

/** Connections over which one was opened are not counted as inspected, and stats name them. */
async function assertElsewhere(yori: Yori, count: number): Promise<void> {
  await until(async () => (await yori.rows('connections')).length >= count)
  for (const { coverage } of await yori.rows('connections'))
    assert.equal(coverage, 'tunnel-media-elsewhere')
  using reader = openReader(yori.database)
  const { all, reasons } = reader.coverage({ nowMs: Date.now(), zone: undefined }, 1)
  assert.equal(all.inspected, 0)
  assert.equal(all.tunnelled, all.total)
  assert.deepEqual(
    reasons.map(({ reason }) => reason),
    ['tunnel-media-elsewhere'],
  )
}
