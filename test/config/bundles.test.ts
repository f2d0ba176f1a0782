/** The bundles that come with YORI are sound, and say of each key what it becomes. Pure. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { readBundles } from '../../config/bundles.js'
import type { Bundle } from '../../config/bundles.js'
import { bundleChanges, wakened } from '../../config/bundle-changes.js'
import { loadConfig } from '../../config/load.js'
import type { Config } from '../../config/schema.js'
import { loadPolicySet } from '../../src/assembly/from-config/policy-set.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

describe('bundles', () => {
  let folder: TempFolder
  let bundles: readonly Bundle[]
  before(async () => {
    folder = await tempFolder()
    bundles = await readBundles()
  })
  after(() => folder[Symbol.asyncDispose]())

  const configOf = (value: object): Config => {
    const path = folder.file('yori.conf')
    writeFileSync(path, JSON.stringify(value))
    const loaded = loadConfig({ path, env: {}, cwd: folder.path })
    assert.ok(loaded.kind === 'ok', JSON.stringify(loaded))
    assert.deepEqual(loaded.warnings, [])
    return loaded.config
  }
  const named = (name: string): Bundle => {
    const found = bundles.find((bundle) => bundle.name === name)
    assert.ok(found, name)
    return found
  }
  /** The configuration with that bundle, consented to. */
  const withBundle = (bundle: Bundle, files: object = {}): Config => {
    const { policies, enforcement, ...rest } = bundle.sets as {
      policies: { files: object }
      enforcement: object
    }
    return configOf({
      ...rest,
      policies: { files: { ...files, ...policies.files } },
      enforcement: { ...enforcement, consent_accepted: true },
    })
  }

  it('are four', () => {
    const names = bundles.map(({ name }) => name)
    assert.deepEqual(names, ['agents', 'family', 'office', 'school'])
  })

  it('fit the schema, and name policies that ship, with parameters that they have', async () => {
    for (const bundle of bundles) {
      const config = withBundle(bundle)
      const set = await loadPolicySet(config.policies, new ManualClock(0))
      assert.deepEqual(set.unknown, [], bundle.name)
      const found = set.policies.map(({ policy }) => policy.name).sort()
      assert.deepEqual(found, Object.keys(bundle.policies).sort(), bundle.name)
      assert.ok(set.policies.every(({ shipped }) => shipped))
    }
  })

  it('say a word for each policy that they set, and for no other', () => {
    for (const { name, policies, sets } of bundles) {
      const { files } = (sets as { policies: { files: object } }).policies
      assert.deepEqual(Object.keys(policies), Object.keys(files), name)
    }
  })

  it('tell every group that their policies are for', () => {
    for (const { name, groups, sets } of bundles) {
      const { files } = (sets as Partial<Config>).policies as Config['policies']
      const meant = Object.values(files).flatMap(
        ({ params }) => (params['groups'] ?? []) as string[],
      )
      assert.deepEqual([...new Set(meant)].sort(), Object.keys(groups).sort(), name)
    }
  })

  it('leave consent to a person', () => {
    for (const { sets } of bundles) {
      assert.ok(!JSON.stringify(sets).includes('consent'))
    }
    const keys = bundleChanges(named('family'), configOf({ mode: 'observe' }))
    assert.ok(
      keys.some(({ key, to }) => key.endsWith('.consent_accepted') && to === true),
    )
  })

  it('have nothing to change where they are in force', () => {
    for (const bundle of bundles)
      assert.deepEqual(bundleChanges(bundle, withBundle(bundle)), [], bundle.name)
  })

  const changeOf = (key: string, files: object, bundle = 'family') =>
    bundleChanges(named(bundle), configOf({ mode: 'observe', policies: { files } })).find(
      (change) => change.key === `policies.files.${key}`,
    )

  it('let nobody off whom a policy held for', () => {
    const at = 'bedtime.params.groups'
    const groups = { params: { groups: ['guests', 'teens'] } }
    assert.deepEqual(changeOf(at, { bedtime: groups })?.to, [
      'guests',
      'teens',
      'children',
    ])
    // It blocked everyone, and goes on doing so.
    assert.equal(changeOf(at, { bedtime: { action: 'block' } }), undefined)
    // It only told, or nothing: adults are not to be blocked by a bundle for children.
    for (const files of [{}, { bedtime: { action: 'alert' } }])
      assert.deepEqual(changeOf(at, files)?.to, ['children', 'teens'])
  })

  it('make no note of what was a block', () => {
    const own = { cost_limit: { action: 'block', params: { daily_usd: 1 } } }
    const at = (files: object, key: string) =>
      changeOf(`cost_limit.${key}`, files, 'office')
    for (const key of ['action', 'params.daily_usd', 'params.monthly_usd'])
      assert.equal(at(own, key), undefined, key)
    const off = { cost_limit: { ...own.cost_limit, enabled: false } }
    assert.equal(at(off, 'action')?.to, 'alert')
    // The other way it becomes stricter, and says so.
    const noted = { cost_limit: { action: 'alert', params: { daily_usd: 1 } } }
    assert.deepEqual(changeOf('cost_limit.action', noted, 'agents')?.to, 'block')
  })

  it('keep children protected when another one comes', () => {
    const first = withBundle(named('family'))
    for (const second of bundles) {
      const keys = bundleChanges(second, first)
      const minors = keys.find(({ key }) => key.endsWith('params.minor_groups'))
      const to = (minors?.to ?? ['children', 'teens']) as string[]
      assert.ok(['children', 'teens'].every((group) => to.includes(group)))
      assert.ok(keys.every(({ key }) => !key.startsWith('policies.files.bedtime')))
    }
    assert.ok(
      bundleChanges(named('school'), first).some(({ key }) =>
        key.endsWith('minor_groups'),
      ),
    )
  })

  it('switch on again what was off', () => {
    const off = { bedtime: { enabled: false } }
    assert.deepEqual(changeOf('bedtime.enabled', off)?.to, true)
    assert.equal(changeOf('bedtime.enabled', {}), undefined)
  })

  it('tell what else begins to block', () => {
    const files = {
      tool_guard: { action: 'block' },
      injection: { action: 'block', enabled: false },
      budget: { action: 'alert' },
      bedtime: { action: 'block' },
    }
    const family = named('family')
    const observing = configOf({ mode: 'observe', policies: { files } })
    assert.deepEqual(wakened(family, observing), ['tool_guard'])
    assert.deepEqual(wakened(family, withBundle(family, files)), [])
    // It would note this one, leaves the stricter word alone, and wakes it.
    const strict = { homework_helper: { action: 'block' } }
    const noting = configOf({ mode: 'observe', policies: { files: strict } })
    assert.deepEqual(wakened(family, noting), ['homework_helper'])
  })

  it('are refused by name when they are of another form', async () => {
    const cases: [string, RegExp][] = [
      ['title: [x', /bundle\.yaml: is not YAML/],
      ['[]', /holds no keys/],
      ['title: 5', /`title` and `about`/],
      ['{title: a, about: b, policies: {x: 1}, groups: {}}', /`policies` and `groups`/],
      ['{title: a, about: b, policies: {}, groups: {}}', /`sets`/],
    ]
    for (const [text, expected] of cases) {
      mkdirSync(folder.file('bundles', 'bad'), { recursive: true })
      writeFileSync(folder.file('bundles', 'bad', 'bundle.yaml'), text)
      await assert.rejects(readBundles(folder.file('bundles')), expected)
    }
  })
})
