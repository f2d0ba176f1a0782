import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { exchangeColumns } from '../../src/audit/tables.js'
import { METHODS } from '../../src/control/methods.js'
import { packageFile } from '../../src/core/package-root.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { Controlled } from '../support/control.js'
import type { Asking, Said } from '../support/control.js'
import { openaiSdk } from '../support/sdk.js'

type Verb = 'get' | 'put' | 'post' | 'delete'

interface Response {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, unknown>>
}

interface Operation {
  readonly parameters?: readonly { readonly $ref?: string; readonly name?: string }[]
  readonly security?: readonly unknown[]
  readonly responses: Readonly<Record<string, Response>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Verb, Operation>>>>>
  readonly components: {
    readonly parameters: Readonly<Record<string, { name: string; in: string }>>
  }
}

/** A link without a code, a page to type, and a QR code of what nobody else can reach. */
const NOT_HERE = ['/login', '/live', '/api/trust/qr']

const text = readFileSync(packageFile('config', 'openapi.yaml'), 'utf8')
const page = parse(text) as Document
const operations = Object.entries(page.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })),
)

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
ajv.addSchema(page, 'page')

const DIFF = '/api/policies/diff'

const pointer = (...parts: readonly string[]): string =>
  `page#/${parts
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/')}`

/** @throws unless the answer is one that the page tells of */
function holds(verb: string, path: string, said: Said): void {
  const operation = page.paths[path]?.[verb as Verb]
  assert.ok(operation !== undefined, `${verb} ${path} is not described`)
  const status = String(said.status)
  const key = operation.responses[status] === undefined ? 'default' : status
  const response = operation.responses[key]
  const where =
    response?.$ref === undefined
      ? ['paths', path, verb, 'responses', key]
      : response.$ref.slice(2).split('/')
  if (key === 'default') assert.ok(said.status >= 400, `${verb} ${path}: ${status}`)
  const type = String(said.headers['content-type']).split(';', 1)[0] ?? ''
  const place = pointer(...where, 'content', type, 'schema')
  const validate = ajv.getSchema(place)
  assert.ok(validate !== undefined, `${verb} ${path} ${status}: no ${type} at ${place}`)
  const value = type === 'application/json' ? said.body : said.text
  assert.ok(
    validate(value) === true,
    `${verb} ${path} ${status}: ${ajv.errorsText(validate.errors)}\n${said.text.slice(0, 400)}`,
  )
}

describe('the description of the control plane', () => {
  it('has every route, and none beside', () => {
    const there = METHODS.map(({ verb, path }) => `${verb.toLowerCase()} ${path}`).sort()
    assert.deepEqual(operations.map(({ verb, path }) => `${verb} ${path}`).sort(), there)
    assert.equal(page.openapi, '3.1.0')
  })

  it('names the parameters that each route takes, and which are open', () => {
    for (const { path, verb, operation } of operations) {
      const method = METHODS.find(
        (one) => one.path === path && one.verb.toLowerCase() === verb,
      )
      const named = (operation.parameters ?? []).map(
        ({ $ref, name }) =>
          name ?? page.components.parameters[$ref?.split('/').at(-1) ?? '']?.name ?? '?',
      )
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const wanted = [...inPath, ...(method?.query ?? [])]
      assert.deepEqual([...named].sort(), [...wanted].sort(), `${verb} ${path}`)
      const isOpen = operation.security?.length === 0
      assert.equal(isOpen, method?.role === 'open', `${verb} ${path}`)
    }
  })

  it('has every column of an exchange that is not a body', () => {
    const { properties } = (
      parse(text) as {
        components: { schemas: { Exchange: { properties: Record<string, unknown> } } }
      }
    ).components.schemas.Exchange
    // Digests, and what an earlier YORI meant by its counts.
    const left = new Set(['found_marks', 'tokens_meaning'])
    const names = exchangeColumns
      .filter(({ body, name }) => body !== true && !left.has(name))
      .map(({ name }) => name)
    assert.deepEqual(
      names.filter((name) => !Object.hasOwn(properties, name)),
      [],
    )
  })

  describe('beside a running YORI', () => {
    let simulator: Simulator
    let on: Controlled
    const seen = new Set<string>()
    before(async () => {
      simulator = await Simulator.start()
      on = await Controlled.start({
        origins: { 'api.openai.com': simulator },
        trust: [simulator.ca],
        config: {
          mode: 'enforce',
          enforcement: {
            enabled: true,
            consent_accepted: true,
            allowlist: { devices: [{ name: 'desk', ip: '192.0.2.7' }] },
          },
          policies: { files: { privacy: { enabled: true, action: 'block' } } },
          audit: { bodies: 'request' },
          // Nobody listens there: what a sink refuses is an answer, too.
          alerts: { sinks: { hook: { type: 'slack', url: 'http://127.0.0.1:9/' } } },
        },
      })
      const sdk = openaiSdk({ dispatcher: on.yori.dispatcher() })
      const say = (content: string, more: Record<string, string> = {}) =>
        sdk.chat.completions.create(
          {
            model: 'gpt-4o-mini',
            messages: [
              { role: 'system', content: 'You mend bicycles.' },
              { role: 'user', content },
            ],
            tools: [{ type: 'function', function: { name: 'search', parameters: {} } }],
          },
          { headers: more },
        )
      await say('Hello', { 'x-yori-tags': 'team:blue', 'x-yori-agent-id': 'mender' })
      await say('Once more', { 'x-yori-session-id': 'mine', 'x-yori-agent-id': 'mender' })
      await assert.rejects(say('My card is 4111 1111 1111 1111'))
      await on.yori.closeClients()
      await on.yori.appliance.audit.flush()
    })
    after(async () => {
      await on[Symbol.asyncDispose]()
      await simulator[Symbol.asyncDispose]()
    })

    const ask = async (verb: string, path: string, at = path, more: Asking = {}) => {
      const said = await on.ask(at, { method: verb.toUpperCase(), ...more })
      holds(verb, path, said)
      seen.add(`${verb} ${path}`)
      return said
    }

    it('is what every answer is', async () => {
      for (const { verb, path } of operations) {
        if (verb !== 'get' || path.includes('{') || path === '/api/events') continue
        const { status } = await ask(verb, path)
        const isOther = NOT_HERE.includes(path) || (path === DIFF && status === 202)
        assert.ok(status === 200 || isOther, `${path}: ${status}`)
      }
      const { body } = await ask('get', '/api/exchanges')
      const { exchanges } = body as { exchanges: { request_id: string }[] }
      assert.equal(exchanges.length, 3)
      for (const { request_id: id } of exchanges)
        for (const form of ['', '/curl', '/har']) {
          const one = await ask(
            'get',
            `/api/exchanges/{id}${form}`,
            `/api/exchanges/${id}${form}`,
          )
          assert.equal(one.status, 200)
        }
      const document = await ask('get', '/')
      const names = [...document.text.matchAll(/"\/assets\/([\w.-]+)"/g)]
      assert.equal(names.length, 4)
      for (const [, name] of names)
        assert.equal((await ask('get', '/assets/{name}', `/assets/${name}`)).status, 200)
      const { sessions } = (await ask('get', '/api/sessions')).body as {
        sessions: { id: string }[]
      }
      assert.ok(sessions.some(({ id }) => id === 'mine'))
      for (const { id } of sessions)
        assert.equal(
          (await ask('get', '/api/session/{id}', `/api/session/${id}`)).status,
          200,
        )
      const agent = await ask('get', '/api/agent/{id}', '/api/agent/mender')
      assert.equal(agent.status, 200)
      const { blocked } = (await ask('get', '/api/approvals')).body as {
        blocked: unknown[]
      }
      assert.equal(blocked.length, 1)
      const [{ code }] = blocked as [{ code: string }]
      const at = `/api/approvals/${code}`
      const yes = await ask('post', '/api/approvals/{code}/approve', `${at}/approve`)
      assert.equal(yes.status, 201, yes.text)
      const no = await ask('post', '/api/approvals/{code}/deny', `${at}/deny`)
      assert.equal(no.status, 200)
      const { id } = yes.body as { id: string }
      const gone = await ask('delete', '/api/grants/{id}', `/api/grants/${id}`)
      assert.equal(gone.status, 200)
    })

    it('is what policies would have done', async () => {
      for (const changes of [undefined, { privacy: { action: 'alert' } }]) {
        const verb = changes === undefined ? 'get' : 'post'
        const more = changes === undefined ? {} : { body: { changes } }
        const statuses = []
        do statuses.push((await ask(verb, DIFF, undefined, more)).status)
        while (statuses.at(-1) === 202)
        assert.equal(statuses.at(-1), 200)
      }
    })

    it('is what commands are told', async () => {
      for (const read of ['columns', 'list', 'stats', 'usage', 'sessions', 'session']) {
        const more = { body: { read, id: 'mine' } }
        assert.equal((await ask('post', '/api/record', undefined, more)).status, 200)
      }
    })

    it('is what changes answer', async () => {
      const made = await ask('post', '/api/login-links')
      assert.equal(made.status, 201)
      const { url } = made.body as { url: string }
      const at = url.slice(url.indexOf('/login'))
      assert.equal((await ask('get', '/login', at)).status, 303)
      assert.equal((await ask('post', '/api/logout')).status, 200)
      const { hashPassword } = await import('../../src/net/password.js')
      const people = [{ name: 'Ada', password_hash: await hashPassword('engine') }]
      const changes = { 'control.people': people }
      const put = await ask('put', '/api/settings', undefined, { body: { changes } })
      assert.equal(put.status, 200, put.text)
      const body = { name: 'Ada', password: 'engine' }
      assert.equal((await ask('post', '/api/login', undefined, { body })).status, 200)
      const { versions } = (await ask('get', '/api/settings')).body as {
        versions: { id: string }[]
      }
      const back = { body: { version: versions[0]?.id } }
      const path = '/api/settings/rollback'
      assert.equal((await ask('post', path, undefined, back)).status, 200)
    })

    it('is what the inbox of alerts answers', async () => {
      const found = (await ask('get', '/api/alerts')).body as { alerts: { id: string }[] }
      const [{ id } = assert.fail('nothing was told')] = found.alerts
      for (const what of ['snooze', 'ack']) {
        const path = `/api/alerts/{id}/${what}`
        const said = await ask('post', path, path.replace('{id}', id), { body: {} })
        assert.equal(said.status, 200, said.text)
      }
      const tested = await ask('post', '/api/alerts/test', undefined, {
        body: { sink: 'hook' },
      })
      assert.deepEqual(tested.body, {
        sink: 'hook',
        taken: false,
        reason: 'nobody listens there',
      })
    })

    it('is what changes of the household answer', async () => {
      const changed = async (path: string, body: object, id = 'mine') => {
        const said = await ask('post', path, path.replace('{id}', id), { body })
        assert.equal(said.status, 200, said.text)
      }
      const device = '/api/devices/{id}'
      await changed(`${device}/name`, { name: 'mine' }, '127.0.0.1')
      await changed(`${device}/group`, { group: 'adults' })
      await changed(`${device}/person`, { person: 'Ada' })
      const closed = [{ days: ['sunday'], start: '21:00', end: '07:00' }]
      await changed('/api/people', { name: 'Ada', closed, messages: 5, usd: 1.5 })
      await changed('/api/pause', { target: 'Ada', minutes: 10 })
      await changed('/api/allow', { target: 'mine', minutes: 10 })
      for (const path of ['/api/devices', '/api/people']) await ask('get', path)
      await changed('/api/end', { target: 'Ada' })
      const gone = await ask('delete', '/api/people/{id}', '/api/people/ada')
      assert.equal(gone.status, 200)
    })

    it('is what is said when something is refused', async () => {
      for (const { verb, path } of operations) {
        const at = path.replace(/\{\w+\}/, 'nothing')
        if (path !== '/health') await ask(verb, path, at, { token: 'x', body: undefined })
        await ask(verb, path, at, { headers: { host: 'evil.example' } })
        await ask(verb, path, `${at}?nonsense=1`)
        if (path.includes('{')) assert.equal((await ask(verb, path, at)).status, 404)
        if (verb !== 'get')
          await ask(verb, path, at, { headers: { origin: 'http://evil.example' } })
      }
      const changes = { mode: 'x' }
      await ask('put', '/api/settings', undefined, { body: { changes } })
    })

    it('has had every route asked', () => {
      const all = operations.map(({ verb, path }) => `${verb} ${path}`)
      assert.deepEqual(
        all.filter((one) => !seen.has(one)),
        [],
      )
    })
  })
})
