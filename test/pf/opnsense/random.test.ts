import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { loadConfig } from '../../../config/load.js'
import { isMac } from '../../../config/schema-formats.js'
import { needs } from '../../support/needs.js'
import { holds } from '../../support/property.js'
import { tempFolder } from '../../support/temp-folder.js'
import { KEYS } from './fields.js'
import { configOf, modelFields } from './model.js'
import type { Field, Values } from './model.js'
import { renderedBy } from './templates.js'
import { ROWS, otherOf } from './values.js'

const MODELS = 100

/** What people type, and what would be more than a value where it is not written as one. */
const TYPED = [
  `Kid's "tab": #1`,
  'a\n- x: y',
  '{{ 7 * 7 }}',
  '{% raw %}',
  'Zoë 日本 🙂',
  '*a',
  '&a b',
  '!!str',
  '| x',
  '%TAG',
  'true',
  'null',
  '0x10',
  '1e3',
  '- a',
  'a: b',
  '"',
  "'",
  '\\',
  '\\u0041',
  '</x>',
  'a,b',
  '}, evil: {',
  '\t',
  '\u0000',
  '\u2028',
  ' ',
  '65536',
  '99999999999',
  '-1',
  '::1',
  '10.0.0.0/8',
  '24:00',
  'a.b',
]

/** Whether the form takes it: types, masks and options of the model. */
function isTaken(field: Field, value: string): boolean {
  if (value === '') return !field.required
  switch (field.type) {
    case 'BooleanField':
      return value === '0' || value === '1'
    case 'OptionField':
      return value.split(',').every((one) => field.options.includes(one))
    case 'IntegerField': {
      const { minimum = -Infinity, maximum = Infinity } = field
      return /^-?\d+$/.test(value) && Number(value) >= minimum && Number(value) <= maximum
    }
    case 'PortField':
      return /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535
    case 'NetworkField':
      return isIP(value) !== 0
    case 'MacAddressField':
      return isMac(value)
    case 'InterfaceField':
      return value.split(',').every((one) => ['lan', 'opt1', 'guest'].includes(one))
    case 'CertificateField':
      return /^[0-9a-f]+$/.test(value)
    default:
      return field.mask === undefined || field.mask.test(value)
  }
}

function valueOf(field: Field): fc.Arbitrary<string> {
  const usual = field.usual ?? (field.required ? otherOf(field) : '')
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.constant(usual) },
      { weight: 3, arbitrary: fc.constant(otherOf(field)) },
      { weight: 2, arbitrary: fc.constantFrom(...TYPED) },
      { weight: 1, arbitrary: fc.string({ maxLength: 40, unit: 'binary' }) },
      { weight: 1, arbitrary: fc.constantFrom('', ...field.options) },
    )
    .map((value) => (isTaken(field, value) ? value : usual))
}

const FIELDS = modelFields()
const ofArray = (array: string | undefined): Field[] =>
  FIELDS.filter((field) => field.array === array)
const recordOf = (fields: readonly Field[]): fc.Arbitrary<Record<string, string>> =>
  fc.record(Object.fromEntries(fields.map((field) => [field.name, valueOf(field)])))

/** Fields by which no two rows may be the same. */
const KEYS_OF_ROWS: Readonly<Record<string, readonly string[]>> = {
  'parameters.parameter': ['parameter_policy', 'parameter_name'],
  'endpoints.endpoint': ['endpoint_domain'],
  'limits.limit': ['limit_key'],
}

const anyModel: fc.Arbitrary<Values> = fc.record({
  scalars: recordOf(ofArray(undefined)),
  rows: fc.record(
    Object.fromEntries(
      Object.keys(ROWS).map((array) => {
        const names = KEYS_OF_ROWS[array] ?? [`${array.split('.')[1]}_name`]
        const rows = fc.uniqueArray(recordOf(ofArray(array)), {
          maxLength: 3,
          selector: (row) => names.map((name) => row[name]).join('\0'),
        })
        return [array, rows]
      }),
    ),
  ),
})

/** The field of a key as `yori config check` says it; undefined: there is none. */
function fieldOf(key: string): string | undefined {
  let name = key
    .replaceAll(/\[\d+\]/g, '')
    .replace(
      /^(alerts\.(?:sinks|rules)|policies\.files)(?:\.[\w-]+|\["[^]*?"\])/,
      '$1.NAME',
    )
    .replace(/^(?:limits|timeouts)\..*/, 'limits')
  const paths = new Map(Object.entries(KEYS).map(([path, one]) => [one, path]))
  while (name !== '') {
    const [whole, row] = [name.replace(/\.NAME$/, ''), `${name}.name`]
    const found = paths.get(name) ?? paths.get(whole) ?? paths.get(row)
    if (found !== undefined) return found
    if (!name.includes('.')) return undefined
    name = name.slice(0, name.lastIndexOf('.'))
  }
  return undefined
}

describe("what OPNsense's pages save", () => {
  before(function () {
    needs(this, 'Jinja2')
  })

  holds(
    'is a file that YORI loads with every value as it was, or whose problems are fields',
    fc.asyncProperty(
      // All of a seed at once, since a template engine is a process.
      fc.noShrink(fc.integer()),
      async (seed) => {
        const models = fc.sample(anyModel, { seed, numRuns: MODELS })
        await using folder = await tempFolder()
        const path = folder.file('yori.conf')
        const texts = renderedBy('yori.conf', models.map(configOf))
        let loaded = 0
        let refused = 0
        texts.forEach((text, index) => {
          const model = models[index] ?? assert.fail()
          writeFileSync(path, text)
          const made = loadConfig({ path, cwd: folder.path, env: {} })
          if (made.kind === 'invalid') {
            refused++
            for (const { key, wrong } of made.problems)
              assert.ok(fieldOf(key) !== undefined, `${key}: ${wrong}`)
            return
          }
          loaded++
          const { config } = made
          assert.equal(config.mode, model.scalars['mode'])
          const named = (array: string, name: string) =>
            model.rows[array]?.map((row) => row[name])
          assert.deepEqual(
            config.enforcement.allowlist.devices.map(({ name }) => name),
            named('devices.device', 'device_name'),
          )
          assert.deepEqual(
            Object.keys(config.alerts.sinks).sort(),
            named('sinks.sink', 'sink_name')?.sort(),
          )
          const messages = model.rows['policies.policy']?.map((row) => [
            row['policy_name'],
            row['policy_message'] === '' ? undefined : row['policy_message'],
          ])
          for (const [name = '', message] of messages ?? [])
            assert.equal(config.policies.files[name]?.message, message)
        })
        assert.ok(loaded >= 5 && refused >= 5, `${loaded} loaded, ${refused} refused`)
      },
    ),
    { runs: 1 },
  )
})
