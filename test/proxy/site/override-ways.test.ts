/** PINs, JSON and the administrator's token: the other ways past a block. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'undici'
import { PolicyDatabase } from '../../../src/household/policy-database.js'
import { approveCommand } from '../../../src/cli/commands/household/approve.js'
import { pinCommand } from '../../../src/cli/commands/household/pin-command.js'
import { hashPassword } from '../../../src/net/password.js'
import { runCommand } from '../../support/policy-command.js'
import { behind, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const PASSWORD = 'correct horse 42'
const ADMIN = 'battery staple 99'
const PATH = '/.well-known/yori/override'
const HTML = { accept: 'text/html' }

interface Home extends Proxied {
  /** Headers of what reached the provider. */
  readonly seen: unknown[]
}

async function household(more: Record<string, unknown> = {}): Promise<Home> {
  const seen: unknown[] = []
  const proxied = await behind(
    (incoming, response) => {
      seen.push(incoming.headers)
      response.end('{}')
    },
    {
      mode: 'enforce',
      enforcement: {
        enabled: true,
        consent_accepted: true,
        override_enabled: true,
        override_password_hash: await hashPassword(PASSWORD),
        ...more,
      },
      policies: { files: { default: { action: 'block' } } },
    },
  )
  return Object.assign(proxied, { seen })
}

async function send(
  { yori }: Proxied,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<{ status: number; text: string; id: string; code: string }> {
  const answer = await request(`https://${NAME}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    dispatcher: yori.dispatcher(),
    headers,
    ...(body === undefined ? {} : { body }),
  })
  const text = await answer.body.text()
  const code = /\b([0-9A-Z]{3}-[0-9A-Z]{3})\b/.exec(text)?.[1] ?? ''
  return {
    status: answer.statusCode,
    text,
    code,
    id: String(answer.headers['x-yori-request-id']),
  }
}

async function json(
  home: Proxied,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; success: unknown; message: string }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = { 'content-type': 'application/json', ...headers }
  const answer = await send(home, PATH, type, text)
  return {
    status: answer.status,
    ...(JSON.parse(answer.text) as { success: unknown; message: string }),
  }
}

function form(text: string, password: string): string {
  const token = /name="token" value="([^"]+)"/.exec(text)?.[1] ?? ''
  return new URLSearchParams({ token, password }).toString()
}

const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  'sec-fetch-site': 'same-origin',
}

/** Made at the command line, and known to the running YORI. */
async function pinFor(home: Home, code: string): Promise<string> {
  await home.yori.appliance.audit.flush()
  const { out } = await runCommand(home.yori, pinCommand, 'pin', 'make', code)
  const pin = /^(\d{6})\n/.exec(out)?.[1] ?? ''
  assert.match(out, /127\.0\.0\.1, policy default, api\.openai\.com: once, until /)
  home.yori.appliance.policyState.check()
  return pin
}

async function events(home: Home): Promise<string[]> {
  return (await home.yori.rows('audit_log')).map((row) => String(row['event_type']))
}

describe('the button that asks', () => {
  const ASK = '/.well-known/yori/ask'
  const tokenIn = (text: string): string =>
    new RegExp(
      `action="${ASK}">\\s*<input type="hidden" name="token" value="([^"]+)"`,
    ).exec(text)?.[1] ?? assert.fail('no button')
  const waiting = async (home: Home) => {
    await home.yori.appliance.audit.flush()
    return (await runCommand(home.yori, approveCommand, 'approve')).out
  }

  for (const password of [true, false])
    it(`puts the code before the household, once, ${password ? 'beside' : 'without'} the form of a password`, async () => {
      await using home = await household({ override_enabled: password })
      const other = await send(home, '/v1/files', HTML)
      const { text, code } = await send(home, '/v1/models', HTML)
      assert.equal(/type="password"/.test(text), password)
      assert.doesNotMatch(await waiting(home), /\byes\b/)
      const body = new URLSearchParams({ token: tokenIn(text) }).toString()
      const german = { ...FORM, 'accept-language': 'de-AT' }
      for (const headers of [FORM, german]) {
        const told = await send(home, ASK, headers, body)
        assert.equal(told.status, 200)
        assert.match(
          told.text,
          headers === german ? /Deine Frage ist da/ : /that you asked/,
        )
        assert.match(told.text, /<a href="\/v1\/models">/)
      }
      const lines = (await waiting(home)).split('\n')
      assert.ok(lines[0]?.includes('ASKED'), lines.join('\n'))
      assert.match(lines[1] ?? '', new RegExp(`^${code}.*\\byes\\b`))
      assert.match(lines[2] ?? '', new RegExp(`^${other.code}`))
      const all = await events(home)
      assert.deepEqual(
        all.filter((kind) => kind === 'approval_asked'),
        ['approval_asked'],
      )
      // It frees from nothing by itself; a yes does.
      assert.equal((await send(home, '/v1/models', HTML)).status, 403)
      await runCommand(home.yori, approveCommand, 'approve', code)
      home.yori.appliance.policyState.check()
      assert.equal((await send(home, '/v1/models', HTML)).status, 200)
      assert.equal(home.seen.length, 1)
    })

  it('takes its own form alone, and goes to no provider', async () => {
    await using home = await household()
    const { text } = await send(home, '/v1/models', HTML)
    const token = tokenIn(text)
    const body = new URLSearchParams({ token }).toString()
    const elsewhere = { ...FORM, 'sec-fetch-site': 'cross-site' }
    assert.equal((await send(home, ASK, elsewhere, body)).status, 403)
    assert.equal((await send(home, ASK)).status, 405)
    const wrong = new URLSearchParams({ token: `x${token}` }).toString()
    for (const bad of [wrong, 'token=', ''])
      assert.equal((await send(home, ASK, FORM, bad)).status, 410)
    assert.equal((await send(home, ASK, FORM, 'x'.repeat(9000))).status, 400)
    await home.yori.appliance.audit.flush()
    assert.ok(!(await events(home)).includes('approval_asked'))
    assert.deepEqual(home.seen, [])
  })
})

describe('a PIN', () => {
  it('lets its request pass once, by the form, and is kept only as its hash', async () => {
    await using home = await household()
    const blocked = await send(home, '/v1/models', HTML)
    const pin = await pinFor(home, blocked.code)
    {
      using database = new PolicyDatabase(home.yori.folder.file('state/policy.db'))
      const [kept] = database.list('pin')
      assert.match(kept?.value.hash ?? '', /^scrypt:16384:8:1:/)
      assert.doesNotMatch(JSON.stringify(kept), new RegExp(pin))
    }
    const german = { ...FORM, 'accept-language': 'de-AT' }
    const wrong = await send(home, PATH, german, form(blocked.text, '000000'))
    assert.equal(wrong.status, 401)
    assert.match(wrong.text, /<html lang="de">[^]*Das stimmt nicht\./)
    const used = await send(home, PATH, FORM, form(blocked.text, pin))
    assert.equal(used.status, 200)
    assert.match(used.text, /Allowed once/)
    assert.equal((await send(home, '/v1/models')).status, 200)
    assert.equal((await send(home, '/v1/models')).status, 403, 'once')
    assert.equal((await send(home, PATH, FORM, form(blocked.text, pin))).status, 403)
    const [success] = (await home.yori.rows('audit_log')).filter(
      (row) => row['event_type'] === 'override_success',
    )
    assert.match(String(success?.['details']), /"by":"pin"/)
    assert.doesNotMatch(
      JSON.stringify(await home.yori.rows('audit_log')),
      new RegExp(pin),
    )
  })

  it('serves the request that brings it in the header, and no other after it', async () => {
    await using home = await household()
    const blocked = await send(home, '/v1/models')
    const pin = await pinFor(home, blocked.code)
    const header = { 'X-YORI-Override': pin }
    const both = await Promise.all([1, 2].map(() => send(home, '/v1/models', header)))
    assert.deepEqual(
      both.map(({ status }) => status).toSorted(),
      [200, 403],
      'two at once',
    )
    assert.equal((await send(home, '/v1/models', header)).status, 403)
    assert.equal((await send(home, '/v1/models')).status, 403)
    assert.doesNotMatch(JSON.stringify(home.seen), new RegExp(`${pin}|override`, 'i'))
  })

  it('is for the request that it was made for, and for a few minutes', async () => {
    await using home = await household()
    const first = await send(home, '/v1/models', HTML)
    const other = await send(home, '/v1/models', HTML)
    const pin = await pinFor(home, first.code)
    assert.equal((await send(home, PATH, FORM, form(other.text, pin))).status, 401)
    using database = new PolicyDatabase(home.yori.folder.file('state/policy.db'))
    const [kept] = database.list('pin')
    assert.ok(kept !== undefined)
    const value = { ...kept.value, expiresAt: Date.now() - 1 }
    database.put('pin', { ...kept, value })
    home.yori.appliance.policyState.check()
    assert.equal((await send(home, PATH, FORM, form(first.text, pin))).status, 401)
  })

  it('is listed without its number, revoked, and never made where overrides are off', async () => {
    await using home = await household()
    const { code } = await send(home, '/v1/models')
    const pin = await pinFor(home, code)
    const { out } = await runCommand(home.yori, pinCommand, 'pin', 'list', '--json')
    const [listed] = JSON.parse(out) as { id: string; hash?: string; policy: string }[]
    assert.equal(listed?.policy, 'default')
    assert.equal(listed.hash, undefined)
    assert.doesNotMatch(out, new RegExp(pin))
    assert.match(
      (await runCommand(home.yori, pinCommand, 'pin', 'list')).out,
      /127\.0\.0\.1 +default/,
    )
    assert.equal(
      (await runCommand(home.yori, pinCommand, 'pin', 'revoke', listed.id)).code,
      0,
    )
    assert.equal(
      (await runCommand(home.yori, pinCommand, 'pin', 'revoke', listed.id)).code,
      1,
    )
    home.yori.appliance.policyState.check()
    assert.equal((await send(home, '/v1/models', { 'x-yori-override': pin })).status, 403)
    const kinds = await events(home)
    assert.ok(kinds.includes('pin_made') && kinds.includes('pin_revoked'))
    for (const wrong of [
      ['000-000'],
      ['nonsense'],
      [code, '--digits', '5'],
      [code, '--minutes', '61'],
    ]) {
      const ran = await runCommand(home.yori, pinCommand, 'pin', 'make', ...wrong)
      assert.ok(ran.usage || ran.code === 1, wrong.join(' '))
    }
    await using off = await household({ override_enabled: false })
    const blocked = await send(off, '/v1/models')
    await off.yori.appliance.audit.flush()
    const refused = await runCommand(off.yori, pinCommand, 'pin', 'make', blocked.code)
    assert.match(refused.notes, /override_enabled is false/)
  })

  it('works without any password', async () => {
    await using home = await household({ override_password_hash: undefined })
    const blocked = await send(home, '/v1/models', HTML)
    assert.equal((await send(home, PATH, FORM, form(blocked.text, PASSWORD))).status, 401)
    const pin = await pinFor(home, blocked.code)
    assert.equal((await send(home, PATH, FORM, form(blocked.text, pin))).status, 200)
  })
})

describe('JSON at the override address', () => {
  it('frees the request that it names, for its device, as the form does', async () => {
    await using home = await household()
    const { id } = await send(home, '/v1/models')
    const wrong = await json(home, {
      password: 'no',
      request_id: id,
      policy_name: 'default',
    })
    assert.deepEqual([wrong.status, wrong.success], [401, false])
    const other = await json(home, {
      password: PASSWORD,
      request_id: id,
      policy_name: 'x',
    })
    assert.equal(other.status, 403)
    const unknown = await json(home, { password: PASSWORD, request_id: 'nobody' })
    assert.equal(unknown.status, 403)
    const right = await json(home, {
      password: PASSWORD,
      request_id: id,
      policy_name: 'default',
    })
    assert.deepEqual([right.status, right.success], [200, true])
    assert.equal((await send(home, '/v1/models')).status, 200)
    assert.equal(
      (await json(home, { password: PASSWORD, request_id: id })).status,
      403,
      'once',
    )
  })

  it('is on our own host at /yori/override too', async () => {
    await using home = await household()
    const url = `http://127.0.0.1:${home.yori.port}`
    const blocked = await request(`${url}/v1/models`, {
      headers: { accept: 'application/json' },
    })
    await blocked.body.dump()
    const answer = await request(`${url}/yori/override`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        password: PASSWORD,
        request_id: blocked.headers['x-yori-request-id'],
      }),
    })
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(await answer.body.json(), {
      success: true,
      message: 'Allowed for a while.',
    })
  })

  it('says 400, 403 and 429 as programs expect', async () => {
    await using home = await household()
    for (const bad of ['{', '[]', '{}', '{"password":1}', '{"password":"x"}', 'null']) {
      assert.equal((await json(home, bad)).status, 400, bad)
    }
    const { id } = await send(home, '/v1/models')
    const tries = []
    for (let i = 0; i < 4; i++) {
      tries.push((await json(home, { password: `guess ${i}`, request_id: id })).status)
    }
    assert.deepEqual(tries, [401, 401, 401, 429])
    await using off = await household({ override_enabled: false })
    const disabled = await json(off, { password: PASSWORD, request_id: 'x' })
    assert.deepEqual([disabled.status, disabled.success], [403, false])
  })

  it('is refused from another site', async () => {
    await using home = await household()
    const { id } = await send(home, '/v1/models')
    const body = { password: PASSWORD, request_id: id }
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      assert.equal((await json(home, body, headers)).status, 403, JSON.stringify(headers))
    }
    assert.equal((await send(home, '/v1/models')).status, 403)
  })
})

describe('the token of an administrator', () => {
  const admin = async () => ({
    admin_token_hash: await hashPassword(ADMIN),
    emergency_override: { enabled: true },
  })

  it('ends all enforcement for a while, and who did it is recorded', async () => {
    await using home = await household(await admin())
    assert.equal((await json(home, { password: PASSWORD, emergency: true })).status, 401)
    const over = await json(home, { password: ADMIN, emergency: true, minutes: 1441 })
    assert.equal(over.status, 409)
    const done = await json(home, {
      ...{ password: ADMIN, emergency: true, minutes: 30, reason: 'doctor' },
    })
    assert.equal(done.status, 200)
    assert.match(done.message, /Nothing is blocked until 20/)
    assert.equal((await send(home, '/v1/models')).status, 200)
    assert.equal((await json(home, { password: ADMIN, emergency: true })).status, 409)
    home.yori.appliance.policyState.check()
    using database = new PolicyDatabase(home.yori.folder.file('state/policy.db'))
    const emergency = database.emergency()
    assert.equal(emergency?.reason, 'doctor')
    assert.equal(emergency.expiresAt - emergency.activatedAt, 30 * 60_000)
    const rows = await home.yori.rows('audit_log')
    const activated = rows.find((row) => row['event_type'] === 'emergency_activated')
    assert.deepEqual(
      [activated?.['actor'], activated?.['client_ip']],
      ['admin token', '127.0.0.1'],
    )
    assert.ok((await events(home)).includes('emergency_attempt_failed'))
    assert.doesNotMatch(JSON.stringify(rows), /staple/)
  })

  it('is limited as passwords are, and ends with the switch', async () => {
    await using home = await household(await admin())
    const tries = []
    for (let i = 0; i < 6; i++) {
      tries.push((await json(home, { password: `guess ${i}`, emergency: true })).status)
    }
    assert.deepEqual(tries, [401, 401, 401, 401, 401, 429])
    const { admin_token_hash } = await admin()
    const emergency_override = { enabled: false }
    await using off = await household({ admin_token_hash, emergency_override })
    assert.equal((await json(off, { password: ADMIN, emergency: true })).status, 403)
  })
})

describe('guessing', () => {
  it('that is stopped does not lock the adult out: the command line still approves', async () => {
    await using home = await household()
    const blocked = await send(home, '/v1/models')
    for (let i = 0; i < 6; i++) {
      await send(home, '/v1/models', { 'x-yori-override': `guess ${i}` })
    }
    assert.equal(
      (await send(home, '/v1/models', { 'x-yori-override': PASSWORD })).status,
      403,
    )
    await home.yori.appliance.audit.flush()
    await runCommand(home.yori, approveCommand, 'approve', blocked.code, '--for', '10m')
    await until(async () => (await send(home, '/v1/models')).status === 200)
  })

  it('a sha256 hash of old is read, and a right password does not make it anew', async () => {
    const old = `sha256:${createHash('sha256').update(PASSWORD).digest('hex')}`
    await using home = await household({ override_password_hash: old })
    assert.equal(
      (await send(home, '/v1/models', { 'x-yori-override': 'no' })).status,
      403,
    )
    assert.equal(
      (await send(home, '/v1/models', { 'x-yori-override': PASSWORD })).status,
      200,
    )
    using database = new PolicyDatabase(home.yori.folder.file('state/policy.db'))
    assert.equal(JSON.stringify(database.list('grant')).includes('sha256'), false)
  })
})
