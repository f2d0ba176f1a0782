import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { LINK_MS, LOGIN_MS } from '../../src/control/logins.js'
import { hashPassword } from '../../src/net/password.js'
import { Controlled } from '../support/control.js'
import { ManualClock } from '../support/manual-clock.js'

/** What a page of `origin` makes a browser send with a change. */
const from = (origin: string) => ({ origin, 'content-type': 'application/json' })
const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('the door of the control plane', () => {
  let on: Controlled
  const clock = new ManualClock(Date.UTC(2026, 10, 30, 12))
  before(async () => {
    const people = [
      { name: 'Ada', password_hash: await hashPassword('engine'), role: 'household' },
      { name: 'Bea', password_hash: await hashPassword('look on') },
    ]
    on = await Controlled.start(
      {
        config: {
          control: { listen: '127.0.0.1:0', people },
          access: { users: [{ name: 'proxy', password_hash: people[0]?.password_hash }] },
        },
      },
      { clock },
    )
  })
  after(() => on[Symbol.asyncDispose]())

  it('keeps token and socket to its own user', () => {
    assert.equal(modeOf(on.yori.folder.file('state', 'control.token')), 0o600)
    assert.equal(modeOf(on.yori.folder.file('state', 'control.sock')), 0o600)
    assert.match(on.token, /^[\w-]{43}$/)
  })

  it('says to everybody how it is, and nothing else', async () => {
    const { status, body } = await on.ask('/health', { token: null })
    assert.equal(status, 200)
    assert.deepEqual(body, { status: 'healthy' })
  })

  it('asks for the token on everything else, there or not', async () => {
    const paths = ['/', '/metrics', '/config', '/api/status', '/api/me', '/no/such', '//']
    for (const path of paths) {
      const wrong = [null, 'x', `${on.token}x`, on.token.slice(1), on.token.toUpperCase()]
      for (const token of wrong) {
        const { status, body, headers } = await on.ask(path, { token })
        assert.equal(status, 401, path)
        // The page with the ways in holds nothing of anybody.
        if (path === '/') assert.match(headers['content-type'] ?? '', /^text\/html/)
        else assert.deepEqual(Object.keys(body as object), ['error', 'message'])
        assert.match(headers['www-authenticate'] ?? '', /^Bearer/)
      }
    }
    assert.equal((await on.ask('/api/status')).status, 200)
    assert.equal((await on.ask('/no/such')).status, 404)
    assert.equal((await on.ask('/api/%ff')).status, 404)
  })

  it('takes the token in a header alone', async () => {
    for (const path of [`/api/me?token=${on.token}`, `/api/me?access_token=${on.token}`])
      assert.equal((await on.ask(path, { token: null })).status, 401)
    const basic = Buffer.from(`:${on.token}`).toString('base64')
    const headers = { authorization: `Basic ${basic}` }
    assert.equal((await on.ask('/api/me', { token: null, headers })).status, 401)
  })

  it('answers the socket without a token', async () => {
    const { status, body } = await on.ask('/api/me', { socket: true })
    assert.equal(status, 200)
    assert.deepEqual(body, {
      who: 'socket',
      role: 'admin',
      entrance: 'socket',
      csrf: null,
    })
  })

  it('gives no data to another name than its own', async () => {
    const { port } = on
    const foreign = [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.evil.example:${port}`,
      `127.0.0.1:${port}.evil.example`,
      `localhost.:${port}`,
      `user@localhost:${port}`,
    ]
    for (const host of foreign)
      for (const path of ['/health', '/api/me']) {
        const { status, text } = await on.ask(path, { headers: { host } })
        assert.ok(status >= 400 && status < 500, `${host}: ${status}`)
        assert.ok(!text.includes('healthy') && !text.includes('admin'), host)
      }
    for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`])
      assert.equal((await on.ask('/api/me', { headers: { host } })).status, 200, host)
  })

  it('refuses two names, and an address instead of a path', async () => {
    const ok = `127.0.0.1:${on.port}`
    const heads = [
      `GET /health HTTP/1.1\r\nHost: ${ok}\r\nHost: ${ok}\r\n\r\n`,
      `GET http://${ok}/health HTTP/1.1\r\nHost: ${ok}\r\n\r\n`,
      `GET /health HTTP/1.1\r\n\r\n`,
      `GET /health HTTP/1.1\r\nHost:\r\n\r\n`,
    ]
    for (const head of heads) {
      const socket = connect(on.port, '127.0.0.1')
      socket.setEncoding('latin1')
      socket.end(head)
      let text = ''
      socket.on('data', (piece: string) => (text += piece))
      await once(socket, 'close')
      assert.match(text, /^HTTP\/1\.1 4\d\d /, head)
      assert.ok(!text.includes('healthy'))
    }
  })

  it('takes no change from a page of elsewhere, whatever it carries', async () => {
    const { port } = on
    const origins = [
      'null',
      'http://evil.example',
      `http://127.0.0.1:${port + 1}`,
      'http://127.0.0.1',
      `https://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}.evil.example`,
      '',
    ]
    for (const origin of origins) {
      const change = { method: 'POST', headers: from(origin), body: {} }
      assert.equal((await on.ask('/api/login-links', change)).status, 403, origin)
      assert.equal((await on.ask('/api/login', change)).status, 403, origin)
    }
    for (const site of ['cross-site', 'same-site', 'none']) {
      const headers = { 'sec-fetch-site': site }
      const { status } = await on.ask('/api/login-links', { method: 'POST', headers })
      assert.equal(status, 403, site)
    }
    const headers = from(`http://127.0.0.1:${port}`)
    const own = await on.ask('/api/login-links', { method: 'POST', headers })
    assert.equal(own.status, 201)
  })

  it('sends what a browser needs to be safe with every answer', async () => {
    for (const [path, token] of [
      ['/health', null],
      ['/api/me', null],
      ['/api/me', undefined],
      ['/login?code=x', null],
    ] as const) {
      const { headers } = await on.ask(path, token === undefined ? {} : { token })
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.ok(!policy.includes('unsafe'))
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  describe('by a link', () => {
    const open = async (): Promise<string> => {
      const { body } = await on.ask('/api/login-links', { method: 'POST', socket: true })
      const { url } = body as { url: string }
      assert.ok(url.startsWith(`http://127.0.0.1:${on.port}/login?code=`))
      return url.slice(url.indexOf('/login'))
    }
    const cookieIn = (headers: { 'set-cookie'?: string[] | undefined }): string => {
      const [cookie = ''] = headers['set-cookie'] ?? []
      return cookie.split(';', 1)[0] ?? ''
    }

    it('logs in once, by a cookie that scripts and other sites do not get', async () => {
      const path = await open()
      const first = await on.ask(path, { token: null })
      assert.equal(first.status, 303)
      const [cookie = ''] = first.headers['set-cookie'] ?? []
      for (const word of ['HttpOnly', 'SameSite=Strict', 'Path=/'])
        assert.ok(cookie.split('; ').includes(word), cookie)
      const again = await on.ask(path, { token: null })
      assert.equal(again.status, 403)
      assert.equal(again.headers['set-cookie'], undefined)
      const headers = { cookie: `a=b; ${cookieIn(first.headers)}; c=d` }
      const me = await on.ask('/api/me', { token: null, headers })
      assert.equal((me.body as { role: string }).role, 'admin')
    })

    it('is used up by nobody who only looks at it', async () => {
      const path = await open()
      for (const ahead of [
        { method: 'HEAD' },
        { headers: { 'sec-purpose': 'prefetch;prerender' } },
      ]) {
        const { headers } = await on.ask(path, { token: null, ...ahead })
        assert.equal(headers['set-cookie'], undefined)
      }
      assert.equal((await on.ask(path, { token: null })).status, 303)
    })

    it('is worth nothing later, and a login ends', async () => {
      const late = await open()
      clock.advance(LINK_MS)
      assert.equal((await on.ask(late, { token: null })).status, 403)
      const { headers } = await on.ask(await open(), { token: null })
      const cookie = { cookie: cookieIn(headers) }
      clock.advance(LOGIN_MS - 1)
      assert.equal(
        (await on.ask('/api/me', { token: null, headers: cookie })).status,
        200,
      )
      clock.advance(1)
      assert.equal(
        (await on.ask('/api/me', { token: null, headers: cookie })).status,
        401,
      )
    })

    it('changes nothing without the header that forms cannot send', async () => {
      const opened = await on.ask(await open(), { token: null })
      const cookie = cookieIn(opened.headers)
      const me = await on.ask('/api/me', { token: null, headers: { cookie } })
      const { csrf } = me.body as { csrf: string }
      const change = (more: Record<string, string>) =>
        on.ask('/api/login-links', {
          method: 'POST',
          token: null,
          headers: { cookie, ...more },
        })
      assert.equal((await change({})).status, 403)
      assert.equal((await change({ 'x-yori-csrf': 'x' })).status, 403)
      assert.equal((await change({ 'x-yori-csrf': csrf })).status, 201)
      const foreign = { 'x-yori-csrf': csrf, origin: `http://127.0.0.1:${on.port + 1}` }
      assert.equal((await change(foreign)).status, 403)
    })

    it('tells a page of another port of this machine nothing', async () => {
      const opened = await on.ask(await open(), { token: null })
      const cookie = cookieIn(opened.headers)
      const asked = async (site: string, mode: string) => {
        const headers = { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': mode }
        return (await on.ask('/api/me', { token: null, headers })).status
      }
      assert.equal(await asked('same-origin', 'cors'), 200)
      assert.equal(await asked('none', 'navigate'), 200)
      assert.equal(await asked('same-site', 'no-cors'), 403)
      assert.equal(await asked('cross-site', 'cors'), 403)
    })

    it('ends with a logout', async () => {
      const opened = await on.ask(await open(), { token: null })
      const cookie = cookieIn(opened.headers)
      const { body } = await on.ask('/api/me', { token: null, headers: { cookie } })
      const { csrf } = body as { csrf: string }
      const headers = { cookie, 'x-yori-csrf': csrf }
      const out = await on.ask('/api/logout', { method: 'POST', token: null, headers })
      assert.equal(out.status, 200)
      assert.match(String(out.headers['set-cookie']), /Max-Age=0/)
      assert.equal((await on.ask('/api/me', { token: null, headers })).status, 401)
    })
  })

  describe('by name and password', () => {
    const login = (name: string, password: string) =>
      on.ask('/api/login', { token: null, body: { name, password } })

    it('lets people in with the role that they have', async () => {
      const { status, headers, body } = await login('Bea', 'look on')
      assert.equal(status, 200)
      const { role, csrf } = body as { role: string; csrf: string }
      assert.equal(role, 'view')
      const cookie = String(headers['set-cookie']).split(';', 1)[0] ?? ''
      const asking = { token: null, headers: { cookie, 'x-yori-csrf': csrf } }
      assert.equal((await on.ask('/api/status', asking)).status, 200)
      const refused = await on.ask('/api/login-links', { ...asking, method: 'POST' })
      assert.equal(refused.status, 403)
      assert.equal((refused.body as { error: string }).error, 'forbidden')
    })

    it('says the same of a wrong name and a wrong password, and soon nothing at all', async () => {
      clock.advance(3_600_000)
      const one = await login('Ada', 'x')
      const other = await login('Nobody', 'x')
      assert.equal(one.status, 401)
      assert.deepEqual(one.body, other.body)
      for (let n = 0; n < 3; n++) await login('Ada', 'x')
      const limited = await login('Ada', 'engine')
      assert.equal(limited.status, 429)
      assert.equal(limited.headers['set-cookie'], undefined)
      assert.equal(limited.headers['retry-after'], '900')
      clock.advance(3_600_000)
      assert.equal((await login('Ada', 'engine')).status, 200)
    })

    it('records who tried, and never with what', async () => {
      const events = (await on.yori.rows('audit_log')).filter(
        ({ event_type: type }) => type === 'control.login',
      )
      assert.ok(events.some(({ actor }) => actor === 'Ada'))
      assert.ok(!JSON.stringify(events).includes('engine'))
    })

    it('takes nothing that is no name and password', async () => {
      const bare = await on.ask('/api/login', { method: 'POST', token: null })
      assert.equal(bare.status, 401)
      for (const body of [{}, [], 'x', { name: 1, password: 'x' }, { name: 'Ada' }])
        assert.equal((await on.ask('/api/login', { token: null, body })).status, 400)
    })
  })

  it('shows the configuration without secrets', async () => {
    const { text, body } = await on.ask('/config')
    assert.ok(!text.includes('scrypt'), 'a hash of a password is a secret')
    assert.ok(!text.includes(on.token))
    const { config, interceptors } = body as {
      config: { control: { people: { password_hash: string }[] } }
      interceptors: { name: string; enabled: boolean }[]
    }
    assert.equal(config.control.people[0]?.password_hash, '[redacted]')
    assert.ok(interceptors.some(({ name, enabled }) => name === 'record' && enabled))
  })

  it('refuses what it does not take: verbs, parameters, bodies', async () => {
    const wrong = await on.ask('/api/exchanges', { method: 'DELETE' })
    assert.equal(wrong.status, 405)
    assert.equal(wrong.headers.allow, 'GET')
    assert.equal((await on.ask('/api/status?x=1')).status, 400)
    assert.equal((await on.ask(`/api/status?${'x'.repeat(9000)}`)).status, 414)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const sent = await on.ask('/api/login', { body: {}, headers: form })
    assert.equal(sent.status, 415)
    const large = await on.ask('/api/login', { body: 'x'.repeat(300_000) })
    assert.equal(large.status, 413)
    const head = await on.ask('/api/status', { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
  })
})
