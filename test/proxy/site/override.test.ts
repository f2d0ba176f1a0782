import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { request } from 'undici'
import { hashPassword } from '../../../src/net/password.js'
import { startOrigin } from '../../support/origins.js'
import { certificate, NAME, originCa } from '../../support/proxied.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'

const PASSWORD = 'correct horse 42'

interface Household extends AsyncDisposable {
  readonly yori: Yori
  /** The heads that reached the provider. */
  readonly seen: Record<string, unknown>[]
  readonly log: string[]
  send(
    path: string,
    headers?: Record<string, string>,
    body?: string,
  ): Promise<{ status: number; text: string }>
}

async function household(): Promise<Household> {
  const seen: Record<string, unknown>[] = []
  const log: string[] = []
  const origin = await startOrigin({
    certificate,
    handler: (incoming, response) => {
      seen.push({ ...incoming.headers, url: incoming.url })
      response.end('{}')
    },
  })
  const lines = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log.push(chunk.toString())
      done()
    },
  })
  const yori = await Yori.start({
    origins: { [NAME]: origin },
    trust: [originCa],
    log: pino({ level: 'debug' }, lines),
    config: {
      mode: 'enforce',
      enforcement: {
        enabled: true,
        consent_accepted: true,
        override_enabled: true,
        override_password_hash: await hashPassword(PASSWORD),
      },
      policies: { files: { default: { action: 'block' } } },
      log: { exchanges: true },
    },
  })
  return {
    yori,
    seen,
    log,
    async send(path, headers = {}, body) {
      const answer = await request(`https://${NAME}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        dispatcher: yori.dispatcher(),
        headers,
        ...(body === undefined ? {} : { body }),
      })
      return { status: answer.statusCode, text: await answer.body.text() }
    },
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

const HTML = { accept: 'text/html' }
const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  'sec-fetch-site': 'same-origin',
}

async function tokenFrom(home: Household): Promise<string> {
  const { text } = await home.send('/v1/models', HTML)
  return /name="token" value="([^"]+)"/.exec(text)?.[1] ?? ''
}

function formOf(token: string, password: string): string {
  return new URLSearchParams({ token, password }).toString()
}

const PATH = '/.well-known/yori/override'

describe('an override by the form', () => {
  it('TRAP: frees the next try, and never goes to the provider itself', async () => {
    await using home = await household()
    const token = await tokenFrom(home)
    const granted = await home.send(PATH, FORM, formOf(token, PASSWORD))
    assert.equal(granted.status, 200)
    assert.match(granted.text, /Allowed for a while/)
    assert.equal(home.seen.length, 0)
    assert.equal((await home.send('/v1/models')).status, 200)
    assert.deepEqual(
      home.seen.map(({ url }) => url),
      ['/v1/models'],
    )
    const passed = (await home.yori.rows('audit_events')).at(-1)
    assert.equal(passed?.['bypass'], 'grant')
    const again = await home.send(PATH, FORM, formOf(token, PASSWORD))
    assert.equal(again.status, 403, 'a token serves once')
  })

  it('is refused from another site, and for a page that is not ours', async () => {
    await using home = await household()
    const token = await tokenFrom(home)
    const form = formOf(token, PASSWORD)
    for (const site of ['cross-site', 'same-site', 'x']) {
      const { status } = await home.send(PATH, { ...FORM, 'sec-fetch-site': site }, form)
      assert.equal(status, 403, site)
    }
    const { 'sec-fetch-site': _site, ...plain } = FORM
    assert.equal((await home.send(PATH, plain, form)).status, 403)
    const foreign = { ...plain, origin: 'https://evil.example' }
    assert.equal((await home.send(PATH, foreign, form)).status, 403)
    assert.equal((await home.send(PATH, FORM, formOf('x.y', PASSWORD))).status, 403)
    assert.equal((await home.send('/v1/models')).status, 403)
  })

  it('is taken over both versions of HTTP where a browser says nothing but its origin', async () => {
    await using home = await household()
    const { 'sec-fetch-site': _site, ...plain } = FORM
    for (const version of HTTP_VERSIONS) {
      const send = async (origin: string, password: string) => {
        const answer = await request(`https://${NAME}${PATH}`, {
          method: 'POST',
          dispatcher: home.yori.dispatcher(undefined, version),
          headers: { ...plain, origin },
          body: formOf(await tokenFrom(home), password),
        })
        return `${answer.statusCode} ${await answer.body.text()}`
      }
      assert.match(await send('https://evil.example', PASSWORD), /^403 .*another site/s)
      assert.match(await send(`https://${NAME}.evil.example`, PASSWORD), /^403 /)
      assert.match(await send(`https://${NAME}`, 'wrong'), /^401 /, version)
    }
  })

  it('is limited, and what was tried is written nowhere', async () => {
    await using home = await household()
    const token = await tokenFrom(home)
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) {
      statuses.push((await home.send(PATH, FORM, formOf(token, 'tried guess'))).status)
    }
    assert.deepEqual(statuses, [401, 401, 401, 429])
    const right = await home.send(PATH, FORM, formOf(token, PASSWORD))
    assert.equal(right.status, 429, 'too late with this page')
    const events = JSON.stringify(await home.yori.rows('audit_log'))
    assert.match(events, /override_failed/)
    assert.match(events, /override_limited/)
    const written = events + JSON.stringify(await home.yori.rows('exchanges'))
    assert.doesNotMatch(written + home.log.join(''), /guess|correct horse|scrypt/)
  })

  it('takes a post and nothing else', async () => {
    await using home = await household()
    assert.equal((await home.send(PATH)).status, 405)
    assert.equal((await home.send('/.well-known/yori/other')).status, 404)
    assert.equal(home.seen.length, 0)
  })
})

describe('X-YORI-Override', () => {
  it('TRAP: frees its own request and reaches neither the provider nor a log', async () => {
    await using home = await household()
    const wrong = await home.send('/v1/models', { 'x-yori-override': 'tried guess' })
    assert.equal(wrong.status, 403)
    assert.equal(home.seen.length, 0)
    const right = await home.send('/v1/models', { 'X-YORI-Override': PASSWORD })
    assert.equal(right.status, 200)
    assert.equal(home.seen[0]?.['x-yori-override'], undefined)
    assert.doesNotMatch(JSON.stringify(home.seen), /correct horse/)
    assert.doesNotMatch(home.log.join(''), /guess|correct horse/)
    assert.equal((await home.send('/v1/models')).status, 200, 'for a while')
  })

  it('is limited for a device', async () => {
    await using home = await household()
    for (let i = 0; i < 5; i++) {
      await home.send('/v1/models', { 'x-yori-override': `wrong ${i}` })
    }
    const sixth = await home.send('/v1/models', { 'x-yori-override': PASSWORD })
    assert.equal(sixth.status, 403)
    const kinds = (await home.yori.rows('audit_log')).map((row) => row['event_type'])
    assert.equal(kinds.filter((kind) => kind === 'override_failed').length, 5)
    assert.equal(kinds.filter((kind) => kind === 'override_limited').length, 1)
  })
})
