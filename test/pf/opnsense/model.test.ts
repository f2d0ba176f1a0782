import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { explain } from '../../../config/explain.js'
import { loadConfig } from '../../../config/load.js'
import { needs } from '../../support/needs.js'
import { KEYS, NOT_OFFERED } from './fields.js'
import { configOf, modelFields, pluginFile } from './model.js'
import type { Field, Values } from './model.js'
import { TEMPLATES, renderedBy } from './templates.js'
import { ROWS, otherOf } from './values.js'

const NONE: Values = { scalars: {}, rows: {} }
const fields = modelFields()

/** Paths of all that differs, without the numbers of lists; members of maps by their names. */
function changes(
  before: unknown,
  after: unknown,
  path: readonly string[] = [],
): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const isTree = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null
  if (!isTree(before) || !isTree(after)) return [path.join('.')]
  if (Array.isArray(before) !== Array.isArray(after)) return [path.join('.')]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) =>
    changes(before[name], after[name], /^\d+$/.test(name) ? path : [...path, name]),
  )
}

/** `alerts.sinks.phone.url` as the schema speaks of it. */
const schemaKey = (path: string): string =>
  path
    .replace(/^(alerts\.(?:sinks|rules)|policies\.files)\.[^.]+/, '$1.NAME')
    .replace(/^(policies\.files\.NAME\.params)\..*/, '$1')
    .replace(/^(providers|limits|timeouts)\..*/, '$1')

function withOther(field: Field): Values {
  const value = otherOf(field)
  const { array, name } = field
  if (array === undefined) return { scalars: { [name]: value }, rows: {} }
  return { scalars: {}, rows: { [array]: [{ ...ROWS[array], [name]: value }] } }
}

const withUsual = ({ array }: Field): Values =>
  array === undefined ? NONE : { scalars: {}, rows: { [array]: [{ ...ROWS[array] }] } }

describe("the model of OPNsense's pages", () => {
  let folder: string

  before(function () {
    needs(this, 'Jinja2')
    folder = mkdtempSync(join(tmpdir(), 'yori-opnsense-'))
  })
  after(() => folder && rmSync(folder, { recursive: true, force: true }))

  /** What `yori config check` makes of it. */
  function loaded(text: string) {
    const path = join(folder, 'yori.conf')
    writeFileSync(path, text)
    return loadConfig({ path, cwd: folder, env: {} })
  }

  it('has names of its own for every leaf, so that a template reads each by name', () => {
    const names = fields.map(({ name }) => name)
    assert.deepEqual([...new Set(names)], names)
    const texts = ['yori.conf', 'rc.conf.d'].map((name) =>
      readFileSync(join(TEMPLATES, name), 'utf8'),
    )
    for (const { array, name } of fields) {
      const row = array?.split('.')[1] ?? 'yori'
      const read = new RegExp(`\\b(?:${row}|yori)\\.${name}\\b`)
      assert.ok(
        texts.some((text) => read.test(text)),
        `no template reads ${row}.${name}`,
      )
    }
  })

  it('is written to one configuration key by each field, and to no other', () => {
    const configs = fields.flatMap((field) =>
      [withUsual(field), withOther(field)].map(configOf),
    )
    const texts = ['yori.conf', 'rc.conf.d'].map((name) => renderedBy(name, configs))
    const seen: Record<string, string> = {}
    fields.forEach((field, index) => {
      const [before = '', after = ''] = texts[0]?.slice(2 * index, 2 * index + 2) ?? []
      const keys = new Set(changes(parse(before), parse(after)).map(schemaKey))
      const [was = '', is = ''] = texts[1]?.slice(2 * index, 2 * index + 2) ?? []
      const lines = new Set(was.split('\n'))
      const [line] = is.split('\n').filter((one) => !lines.has(one))
      const variable = /^(yori_\w+)=/.exec(line ?? '')?.[1]
      // Whether there is steering at all follows from the interfaces.
      if (variable !== undefined && variable !== 'yori_steer')
        keys.add(`rc.conf.d:${variable}`)
      if (field.name === 'limit_key') keys.delete('timeouts')
      if (field.name === 'limit_value' && keys.delete('timeouts')) keys.add('limits')
      // A map's member under another name is that name's, whatever stands in it.
      const found = /_(?:name|policy)$/.test(field.name)
        ? [...keys].map((key) => key.replace(/\.NAME$/, ''))
        : [...keys]
      seen[field.path] = [...new Set(found)].join(' ')
    })
    assert.deepEqual(seen, KEYS)
  })

  it('and every key has a field, or a reason why it has none', () => {
    const described = explain()
    assert.ok(described.kind === 'known')
    const offered = new Set(Object.values(KEYS))
    const known = new Set(described.keys.map(({ key }) => key))
    for (const key of offered)
      if (!key.startsWith('rc.conf.d:')) assert.ok(known.has(key), `${key} is no key`)
    const covers = (name: string, key: string): boolean =>
      key === name || key.startsWith(`${name}.`)
    for (const name of Object.keys(NOT_OFFERED))
      assert.ok(known.has(name), `${name} is no key`)
    const missing = [...known].filter((key) => {
      // Sections and maps are what stands in them.
      const isWhole = [...known].some((other) => other.startsWith(`${key}.`))
      if (offered.has(key) || isWhole) return false
      if (/^(?:limits|timeouts)\./.test(key)) return false
      return !Object.keys(NOT_OFFERED).some((name) => covers(name, key))
    })
    const advice = 'give it a field in pf/opnsense, or a reason in fields.ts beside this'
    assert.deepEqual(missing, [], `${missing.join(', ')}: ${advice}`)
    for (const name of Object.keys(NOT_OFFERED)) {
      if (name === 'enforcement.allowlist') continue
      const both = [...offered].filter((key) => covers(name, key))
      assert.deepEqual(both, [], `${name} has a field`)
    }
  })

  it('renders to a file that YORI takes, with its defaults and in enforce with consent', () => {
    const consenting: Values = {
      scalars: { mode: 'enforce', consent_accepted: '1' },
      rows: {},
    }
    const enabled: Values = {
      scalars: { ...consenting.scalars, enabled: '1', enforcement_enabled: '1' },
      rows: {},
    }
    const texts = renderedBy('yori.conf', [
      {},
      { OPNsense: {} },
      configOf(NONE),
      configOf(consenting),
      configOf(enabled),
    ])
    assert.equal(texts[0], texts[2], 'never saved is as saved with defaults')
    assert.equal(texts[0], texts[1])
    const modes = texts.map((text) => {
      const made = loaded(text)
      assert.ok(made.kind === 'ok', JSON.stringify(made))
      return [made.config.mode, made.config.enforcement.enabled]
    })
    assert.deepEqual(modes.slice(2), [
      ['observe', false],
      ['enforce', false],
      ['enforce', true],
    ])
  })

  it('renders to a file that YORI takes with every field another than usual', () => {
    const scalars: Record<string, string> = {}
    const rows: Record<string, Record<string, string>[]> = {}
    for (const field of fields) {
      if (field.array === undefined) scalars[field.name] = otherOf(field)
      else
        ((rows[field.array] ??= [{ ...ROWS[field.array] }])[0] ??= {})[field.name] =
          otherOf(field)
    }
    scalars['mode'] = 'enforce'
    scalars['policies_default'] = 'home_default.rego'
    scalars['own_policies'] = '0'
    const [text = ''] = renderedBy('yori.conf', [configOf({ scalars, rows })])
    const made = loaded(text)
    assert.ok(made.kind === 'ok', JSON.stringify(made, undefined, 1))
    const { config } = made
    assert.deepEqual(config.steer.interfaces, ['em1', 'vlan0.10'])
    assert.deepEqual(config.policies.files['bedtime']?.params, { start_hour: 20 })
    assert.equal(config.enforcement.allowlist.devices[0]?.ip, '192.168.1.20')
    assert.equal(config.limits.connections, 1000)
  })

  it('is of one version with its Makefile and with YORI', () => {
    const { version } = JSON.parse(
      readFileSync(pluginFile('..', '..', 'package.json'), 'utf8'),
    ) as { version: string }
    const makefile = readFileSync(pluginFile('Makefile'), 'utf8')
    assert.match(makefile, new RegExp(`^PLUGIN_VERSION=\\t+${version}$`, 'm'))
  })
})
