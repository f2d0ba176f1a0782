import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { MOST_VERSIONS } from '../../src/control/settings.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Controlled } from '../support/control.js'

interface Told {
  readonly version: string
  readonly versions: readonly { readonly id: string }[]
  readonly config: { readonly mode: string; readonly audit: { readonly bodies: string } }
}

interface Problem {
  readonly key: string
  readonly line: number | null
  readonly wrong: string
  readonly file: string
}

describe('/api/settings', () => {
  let simulator: Simulator
  let on: Controlled
  let file: string
  before(async () => {
    simulator = await Simulator.start()
    on = await Controlled.start({
      origins: { 'api.openai.com': simulator },
      trust: [simulator.ca],
    })
    file = on.yori.folder.file('yori.conf')
    const { parse, stringify } = await import('yaml')
    const config = parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, `# ours\n${stringify(config)}mode: observe # for now\n`)
    chmodSync(file, 0o640)
  })
  after(async () => {
    await on[Symbol.asyncDispose]()
    await simulator[Symbol.asyncDispose]()
  })

  const put = (changes: unknown, version?: string) =>
    on.ask('/api/settings', { method: 'PUT', body: { changes, version } })
  const told = async (): Promise<Told> => (await on.ask('/api/settings')).body as Told
  const text = (): string => readFileSync(file, 'utf8')

  it('takes a change at once, keeps the comments, and cuts nothing', async () => {
    const socket = await on.yori.tls('api.openai.com')
    const before = text()
    const {
      status,
      body,
      text: said,
    } = await put({
      mode: 'advisory',
      'audit.bodies': 'request',
    })
    assert.equal(status, 200, said)
    const { config } = body as Told
    assert.equal(config.mode, 'advisory')
    assert.equal(on.yori.appliance.current.config.mode, 'advisory')
    const now = text()
    assert.ok(now.startsWith('# ours\n') && now.includes('mode: advisory # for now'))
    assert.notEqual(now, before)
    assert.equal(statSync(file).mode & 0o777, 0o640)
    // What was open goes on.
    socket.write('GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\n\r\n')
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1'))),
    )
    assert.match(answer, /^HTTP\/1\.1 /)
    socket.destroy()
  })

  it('names each problem by its key, and changes nothing', async () => {
    const before = text()
    const cases: [Record<string, unknown>, string[]][] = [
      [{ mode: 'enfroce' }, ['mode']],
      [{ 'audit.bodys': 'both' }, ['audit.bodys']],
      [
        { 'limits.connections': 0, 'timeouts.connect': 'x' },
        ['limits.connections', 'timeouts.connect'],
      ],
      [{ 'enforcement.enabled': true }, ['enforcement.enabled']],
      [{ listen: '127.0.0.1:x' }, ['listen[0]']],
    ]
    for (const [changes, keys] of cases) {
      const { status, body } = await put(changes)
      assert.equal(status, 422, JSON.stringify(changes))
      const { problems } = body as { problems: Problem[] }
      assert.deepEqual(problems.map(({ key }) => key).sort(), keys)
      assert.ok(problems.every((one) => one.file === file && one.line !== null))
    }
    assert.equal(text(), before)
    assert.equal(on.yori.appliance.current.config.mode, 'advisory')
  })

  it('puts back what the running YORI does not take', async () => {
    const before = text()
    const { status, body } = await put({ listen: '192.0.2.1:1' })
    assert.equal(status, 422)
    assert.equal((body as { error: string }).error, 'not_taken')
    assert.equal(text(), before)
    assert.equal((await on.ask('/api/status')).status, 200)
  })

  it('refuses what is no change', async () => {
    for (const changes of [
      undefined,
      [],
      'x',
      {},
      { '__proto__.x': 1 },
      { 'a..b': 1 },
      { 'a b': 1 },
    ]) {
      const { status } = await put(changes)
      assert.ok(status === 400 || status === 422, JSON.stringify(changes))
    }
  })

  it('overwrites nobody who was faster', async () => {
    const { version } = await told()
    assert.equal((await put({ mode: 'observe' }, version)).status, 200)
    const late = await put({ mode: 'advisory' }, version)
    assert.equal(late.status, 409)
    assert.equal(on.yori.appliance.current.config.mode, 'observe')
  })

  it('takes a key away, and goes back to what was', async () => {
    const before = text()
    assert.equal((await put({ audit: null })).status, 200)
    assert.equal((await told()).config.audit.bodies, 'none')
    const { versions } = await told()
    const back = await on.ask('/api/settings/rollback', {
      method: 'POST',
      body: { version: versions[0]?.id },
    })
    assert.equal(back.status, 200, back.text)
    assert.equal(text(), before)
    assert.equal(on.yori.appliance.current.config.audit.bodies, 'request')
    // Once more, without a name: what was before that.
    const again = await on.ask('/api/settings/rollback', { method: 'POST' })
    assert.equal(again.status, 200, again.text)
    assert.equal((await told()).config.audit.bodies, 'none')
    const wrong = { method: 'POST', body: { version: 7 } }
    assert.equal((await on.ask('/api/settings/rollback', wrong)).status, 400)
    for (const version of ['x', '../../yori', '0000000000000-000000000000']) {
      const body = { version }
      const { status } = await on.ask('/api/settings/rollback', { method: 'POST', body })
      assert.equal(status, 404, version)
    }
  })

  it('does one change at a time, and keeps so many files for itself alone', async () => {
    const rounds = Array.from({ length: MOST_VERSIONS + 5 }, (_, n) =>
      put({ 'limits.connections': 1000 + n }),
    )
    for (const { status } of await Promise.all(rounds)) assert.equal(status, 200)
    const folder = on.yori.folder.file('state', 'settings')
    assert.ok(readdirSync(folder).length <= MOST_VERSIONS)
    for (const name of readdirSync(folder))
      assert.equal(statSync(`${folder}/${name}`).mode & 0o777, 0o600)
    assert.deepEqual(
      readdirSync(on.yori.folder.path).filter((name) => name.endsWith('.draft')),
      [],
    )
  })

  it('is for admins, tells no secret, and records keys without values', async () => {
    const { hashPassword } = await import('../../src/net/password.js')
    const hash = await hashPassword('look on')
    const people = [{ name: 'Bea', password_hash: hash, role: 'household' }]
    const { text: said } = await put({ 'control.people': people })
    assert.ok(!said.includes(hash))
    assert.ok(!(await on.ask('/api/settings')).text.includes(hash))
    const login = await on.ask('/api/login', {
      token: null,
      body: { name: 'Bea', password: 'look on' },
    })
    const cookie = String(login.headers['set-cookie']).split(';', 1)[0] ?? ''
    const { csrf } = login.body as { csrf: string }
    const as = { token: null, headers: { cookie, 'x-yori-csrf': csrf } }
    assert.equal((await on.ask('/api/settings', as)).status, 403)
    const change = { ...as, method: 'PUT', body: { changes: { mode: 'enforce' } } }
    assert.equal((await on.ask('/api/settings', change)).status, 403)
    const events = (await on.yori.rows('audit_log')).filter(
      ({ event_type: kind }) => kind === 'control.settings',
    )
    assert.ok(events.length > 0)
    assert.ok(!JSON.stringify(events).includes(hash))
    // Who is no person any more is nobody.
    assert.equal((await put({ 'control.people': null })).status, 200)
    assert.equal((await on.ask('/api/me', as)).status, 401)
  })
})
