import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from '../../support/needs.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { KEYS } from './fields.js'
import { MVC, modelFields, pluginFile } from './model.js'
import { EMPTY_XML, called, readActions } from './pages.js'
import type { Answered, Call } from './pages.js'
import { TOLD } from './told.js'

const ACTIONS = readActions(
  readFileSync(
    pluginFile('src/opnsense/service/conf/actions.d/actions_yori.conf'),
    'utf8',
  ),
)
const CONTROLLERS = pluginFile(...MVC, 'controllers', 'OPNsense', 'YORI')
const FINE = { 'template reload': 'OK', 'yori check': '{"ok":true,"problems":[]}' }
const RUNNING = { ...FINE, 'yori status': 'yori is running as pid 7.\n' }

/** What another test below calls. */
const ELSEWHERE = [
  'service/reconfigure',
  'service/set',
  'enforcement/set',
  'dashboard/stream',
  'live/stream',
]

const WHOLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  device: { device_name: 'a', device_ip: '192.168.1.2' },
  group: { group_name: 'a' },
  schedule: { schedule_name: 'a', schedule_start: '08:00', schedule_end: '09:00' },
  person: { person_name: 'a', person_pin_hash: '271828' },
  endpoint: { endpoint_domain: 'a.example.com' },
  provider: { provider_name: 'gemini-web' },
  policy: { policy_name: 'budget' },
  parameter: {
    parameter_policy: 'budget',
    parameter_name: 'monthly_usd',
    parameter_kind: 'number',
    parameter_value: '7',
  },
  sink: { sink_name: 'a', sink_type: 'ntfy', sink_url: 'https://ntfy.example/t' },
  rule: { rule_name: 'ask' },
  limit: { limit_key: 'limits.connections', limit_value: '7' },
}
const HASH = `scrypt:16384:8:1:${'c2FsdA'.repeat(4)}:${'aGFzaA'.repeat(8)}\n`
/** Fields that make one value together: where a problem of it stands. */
const VALUE_OF: Readonly<Record<string, string>> = {
  provider_name: 'provider_route',
  parameter_name: 'parameter_value',
  parameter_kind: 'parameter_value',
  limit_key: 'limit_value',
}

/** A row before it, so that numbers count. */
const other = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (name === 'rule_name') return [name, 'disk']
      if (name === 'parameter_policy') return [name, 'curfew']
      if (name === 'limit_key') return [name, 'timeouts.drain']
      return [
        name,
        /_(?:name|domain)$/.test(name) && value !== 'monthly_usd' ? `b${value}` : value,
      ]
    }),
  )

/** A key as `yori config check` says it of the second row. */
function placed(path: string, key: string): string {
  const row = path.split('.')[1]
  if (row === undefined) return key
  const name: Readonly<Record<string, string>> = {
    sink: 'a',
    rule: 'ask',
    policy: 'budget',
    parameter: 'budget',
    provider: 'gemini-web',
  }
  if (row === 'limit') return 'limits.connections'
  if (row === 'parameter' && path.endsWith('_policy')) return 'policies.files.curfew'
  if (key === 'providers') return 'providers.gemini-web'
  if (/^(?:alerts\.\w+|policies\.files)$/.test(key)) return `${key}.${name[row] ?? ''}`
  if (key.includes('.NAME')) return key.replace('NAME', name[row] ?? '')
  return key.replace(
    /^(endpoints_add|control\.people|enforcement\.allowlist\.\w+)/,
    '$1[1]',
  )
}

const snake = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Every action that a controller has, as it is called. */
function actionsOfControllers(): string[] {
  return readdirSync(join(CONTROLLERS, 'Api')).flatMap((file) => {
    const text = readFileSync(join(CONTROLLERS, 'Api', file), 'utf8')
    const controller = file.replace('Controller.php', '').toLowerCase()
    return [...text.matchAll(/public function (\w+)Action/g)].map(
      ([, action = '']) => `${controller}/${snake(action)}`,
    )
  })
}

describe("the controllers of OPNsense's pages", () => {
  let folder: TempFolder
  let xml: string

  before(async function () {
    needs(this, 'php')
    folder = await tempFolder()
    xml = folder.file('config.xml')
  })
  beforeEach(() => {
    writeFileSync(xml, EMPTY_XML)
  })
  after(() => folder[Symbol.asyncDispose]())

  const one = (
    call: Call,
    answers: Readonly<Record<string, string>> = RUNNING,
  ): Answered => called(xml, [call], answers)[0] ?? assert.fail()

  it('are PHP, as all of the plugin', () => {
    const files = readdirSync(pluginFile(), { recursive: true, encoding: 'utf8' })
    const php = files.filter((name) => /\.(?:php|inc)$/.test(name))
    assert.ok(php.length > 15)
    for (const name of php) {
      const { status, stdout } = spawnSync('php', ['-l', pluginFile(name)], {
        encoding: 'utf8',
      })
      assert.equal(status, 0, stdout)
    }
  })

  it('ask configd for what an action is, with its words', () => {
    const answers = called(
      xml,
      TOLD.map(([call]) => call),
      { ...RUNNING, 'yori policies': '{"policies":[{"name":"bedtime"}]}' },
    )
    const seen = answers.map(({ asked, error }, index) => [
      TOLD[index]?.[0].to,
      error ?? asked,
    ])
    assert.deepEqual(
      seen,
      TOLD.map(([{ to }, asked]) => [to, asked]),
    )
    const tested = TOLD.findIndex(([{ to }]) => to === 'enforcement/test/bedtime')
    assert.deepEqual(answers[tested]?.answer, { policy: { name: 'bedtime' } })
    // Each of those words is one of the action's, and no action waits for nobody.
    const used = new Set(['reload', 'check', 'dns', 'hash', 'stream'])
    for (const line of answers.flatMap(({ asked }) => asked)) {
      const [, name = '', words] = /^yori (\S+)(?: (.*))?$/s.exec(line) ?? []
      const action = ACTIONS.get(name)
      assert.ok(action !== undefined, `${name} is no action`)
      const room = action.parameters.split('%s').length - 1
      const count = words === undefined ? 0 : words.split('|').length
      assert.ok(count <= room, `${line}: ${name} takes ${room} words`)
      used.add(name)
    }
    const waiting = [...ACTIONS].filter(
      ([name, { description }]) => !used.has(name) && description === undefined,
    )
    assert.deepEqual(waiting, [])
  })

  it('have no action that is called by nobody here', () => {
    const called = new Set([
      ...TOLD.map(([{ to }]) => to.split('/').slice(0, 2).join('/')),
      ...ELSEWHERE,
    ])
    const rest = actionsOfControllers().filter((name) => !called.has(name))
    assert.deepEqual(
      rest.filter((name) => !name.startsWith('settings/')),
      [],
    )
  })

  it('change nothing by GET', () => {
    const posts = TOLD.filter(([{ post }]) => post !== undefined)
    const answers = called(
      xml,
      posts.map(([{ to }]) => ({ to })),
      RUNNING,
    )
    assert.deepEqual(
      answers.flatMap(({ asked }) => asked),
      [],
    )
  })

  it('say in words what YORI refused, or that it does not answer', () => {
    const refused = { 'yori ack': '{"error":"there is no such alert","status":404}' }
    assert.deepEqual(one({ to: 'alerts/ack/x', post: {} }, refused).answer, {
      error: 'there is no such alert',
      status: 404,
    })
    const silent = { 'yori overview': '' }
    assert.deepEqual(one({ to: 'dashboard/get' }, silent).answer, {
      error: 'YORI does not answer.',
      status: 503,
    })
  })

  it('add, change, switch and remove rows of every list', () => {
    const lists = new Map(modelFields().map(({ array, name }) => [array, name]))
    const rows = [...lists.keys()].flatMap((array) => array?.split('.')[1] ?? [])
    assert.deepEqual(Object.keys(WHOLE), rows)
    const answers = { ...RUNNING, 'yori hash': HASH }
    const added = called(
      xml,
      rows.map((row) => ({ to: `settings/add_${row}`, post: { [row]: WHOLE[row] } })),
      answers,
    )
    const ids = added.map(({ answer }) => (answer as { uuid?: string }).uuid ?? '')
    assert.ok(!ids.includes(''), JSON.stringify(added))
    const person = added[rows.indexOf('person')]
    assert.deepEqual(person?.asked, ['yori hash FILE:271828:600'])
    assert.ok(readFileSync(xml, 'utf8').includes(HASH.trim()))
    assert.ok(!readFileSync(xml, 'utf8').includes('271828'))
    const more = called(
      xml,
      rows.flatMap((row, index): Call[] => [
        { to: `settings/get_${row}/${ids[index] ?? ''}` },
        { to: `settings/set_${row}/${ids[index] ?? ''}`, post: { [row]: WHOLE[row] } },
        { to: `settings/search_${row}` },
        ...(isSwitched(row)
          ? [{ to: `settings/toggle_${row}/${ids[index] ?? ''}`, post: {} }]
          : []),
        { to: `settings/del_${row}/${ids[index] ?? ''}`, post: {} },
        { to: `settings/search_${row}` },
      ]),
      answers,
    )
    assert.deepEqual(
      more.filter(({ error }) => error !== undefined),
      [],
    )
    const said = more.map(({ answer }) => answer as { result?: string; total?: number })
    assert.equal(said.filter(({ result }) => result === 'saved').length, rows.length)
    assert.equal(said.filter(({ result }) => result === 'deleted').length, rows.length)
    const switched = rows.filter(isSwitched).length
    assert.equal(said.filter(({ result }) => result === 'Disabled').length, switched)
    assert.equal(said.filter(({ total }) => total === 1).length, rows.length)
    assert.equal(said.filter(({ total }) => total === 0).length, rows.length)
  })

  it('refuse at its field what fields say together', () => {
    const wrong: readonly (readonly [Call, string])[] = [
      [
        { to: 'settings/set', post: { yori: { mode: 'enforce' } } },
        'yori.consent_accepted',
      ],
      [
        { to: 'settings/set', post: { yori: { enforcement_enabled: '1' } } },
        'yori.consent_accepted',
      ],
      [{ to: 'settings/set', post: { yori: { mode: 'block' } } }, 'yori.mode'],
      [
        { to: 'settings/set', post: { yori: { trust_page_port: '80' } } },
        'yori.trust_page_port',
      ],
      [
        { to: 'settings/add_device', post: { device: { device_name: 'a' } } },
        'device.device_ip',
      ],
      [
        {
          to: 'settings/add_device',
          post: { device: { device_name: 'a\nb', device_ip: '::1' } },
        },
        'device.device_name',
      ],
      [
        { to: 'settings/add_person', post: { person: { person_name: 'a' } } },
        'person.person_password_hash',
      ],
      [
        {
          to: 'settings/add_sink',
          post: { sink: { sink_name: 'a', sink_type: 'email' } },
        },
        'sink.sink_host',
      ],
      [
        {
          to: 'settings/add_parameter',
          post: {
            parameter: {
              parameter_policy: 'budget',
              parameter_name: 'x',
              parameter_kind: 'number',
              parameter_value: 'much',
            },
          },
        },
        'parameter.parameter_value',
      ],
    ]
    const answers = called(
      xml,
      wrong.map(([call]) => call),
      RUNNING,
    )
    answers.forEach(({ answer }, index) => {
      const { result, validations } = answer as {
        result: string
        validations: Record<string, string>
      }
      assert.equal(result, 'failed')
      assert.ok((wrong[index]?.[1] ?? '') in validations, JSON.stringify(validations))
    })
    assert.equal(readFileSync(xml, 'utf8'), EMPTY_XML)
  })

  it('set the service: saved, written, checked, and told to read it', () => {
    const post = { yori: { enabled: '1', mode: 'advisory' } }
    const { answer, asked, flushed } = one({ to: 'service/set', post })
    assert.deepEqual(answer, { result: 'saved', status: 'ok' })
    assert.deepEqual(asked, [
      'template reload OPNsense/YORI',
      'yori check',
      'filter reload',
      'template reload OPNsense/YORI',
      'yori status',
      'yori reload',
      'yori dns none',
    ])
    assert.equal(flushed, 1)
    assert.match(readFileSync(xml, 'utf8'), /<mode>advisory<\/mode>/)
  })

  it('leave a running YORI alone when the file does not hold, and say where', () => {
    const device = { device_name: 'a', device_ip: '192.168.1.2' }
    const [made] = called(xml, [{ to: 'settings/add_device', post: { device } }])
    const { uuid } = made?.answer as { uuid: string }
    const problems = [
      {
        key: 'enforcement.allowlist.devices[0].ip',
        wrong: 'is not an address',
        right: 'x',
      },
      { key: 'mode', wrong: 'is what it is', right: 'y' },
      { key: 'enforcement.allowlist.devices[0]', wrong: 'is half', right: '' },
      { key: 'nowhere.at.all', wrong: 'z', right: '' },
    ]
    const refused = { ...RUNNING, 'yori check': JSON.stringify({ ok: false, problems }) }
    const { answer, asked } = one({ to: 'service/reconfigure', post: {} }, refused)
    assert.deepEqual(answer, {
      status: 'failed',
      result: 'failed',
      validations: {
        [`yori.devices.device.${uuid}.device_ip`]:
          'enforcement.allowlist.devices[0].ip: is not an address; x',
        [`yori.devices.device.${uuid}.device_name`]:
          'enforcement.allowlist.devices[0]: is half',
        'yori.mode': 'mode: is what it is; y\nnowhere.at.all: z',
      },
    })
    assert.deepEqual(asked, ['template reload OPNsense/YORI', 'yori check'])
    const broken = one(
      { to: 'service/reconfigure', post: {} },
      { 'template reload': 'Execute error' },
    )
    assert.match(broken.error ?? '', /^OPNsense.Base.UserException/)
  })

  it('know the field of every key, in its row', () => {
    const rows = Object.entries(WHOLE)
    const made = called(
      xml,
      rows.flatMap(([row, values]) =>
        [other(values), values].map((one) => ({
          to: `settings/add_${row}`,
          post: { [row]: one },
        })),
      ),
      { ...RUNNING, 'yori hash': HASH },
    )
    const ids = made.map(({ answer }) => (answer as { uuid: string }).uuid)
    const keys = Object.entries(KEYS).filter(([, key]) => !key.startsWith('rc.conf.d:'))
    const problems = keys.map(([path, key]) => ({
      key: placed(path, key),
      wrong: path,
      right: '',
    }))
    const refused = { ...RUNNING, 'yori check': JSON.stringify({ ok: false, problems }) }
    const { answer } = one({ to: 'service/reconfigure', post: {} }, refused)
    const { validations } = answer as { validations: Record<string, string> }
    const found = Object.entries(validations).flatMap(([field, text]) =>
      text.split('\n').map((line) => [line.split(': ').at(-1), field]),
    )
    const expected = keys.map(([path]) => {
      const [outer, row = '', leaf] = path.split('.')
      if (leaf === undefined) return [path, `yori.${path}`]
      // One that has parameters alone is the row before.
      const second = leaf === 'parameter_policy' ? 0 : 1
      const id = ids[2 * rows.findIndex(([name]) => name === row) + second] ?? ''
      return [path, `yori.${outer}.${row}.${id}.${VALUE_OF[leaf] ?? leaf}`]
    })
    const byPath = (list: unknown[][]): unknown[][] =>
      list.sort(([a], [b]) => String(a).localeCompare(String(b)))
    assert.deepEqual(byPath(found), byPath(expected))
  })

  it('set enforcement by its own fields alone', () => {
    const post = {
      yori: { mode: 'enforce', consent_accepted: '1', enforcement_enabled: '1' },
    }
    assert.deepEqual(one({ to: 'enforcement/set', post }).answer, {
      result: 'saved',
      status: 'ok',
    })
    const other = one({ to: 'enforcement/set', post: { yori: { listen: '0.0.0.0:1' } } })
    assert.deepEqual(Object.keys((other.answer as { validations: object }).validations), [
      'yori.listen',
    ])
    assert.deepEqual(one({ to: 'enforcement/get' }).answer, {
      enforcement: {
        mode: 'enforce',
        enforcement_enabled: '1',
        consent_accepted: '1',
        list_mode: 'allowlist',
      },
    })
  })

  it('stream events with a silence that YORI breaks in time', () => {
    for (const to of ['dashboard/stream', 'live/stream'])
      assert.deepEqual(one({ to }).answer, {
        stream: 'yori stream',
        params: [],
        headers: ['Content-Type: text/event-stream', 'Cache-Control: no-cache'],
        timeout: 60,
      })
  })
})

const isSwitched = (row: string): boolean =>
  modelFields().some(({ name }) => name === `${row}_enabled`)
