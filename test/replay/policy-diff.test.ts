/**
 * `yori policy diff` asks no more than it must; a plain comparison that asks every policy about
 * every request, with all of the input, must come to the same answers.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { loadConfig } from '../../config/load.js'
import type { Config } from '../../config/schema.js'
import { SHIPPED_POLICIES } from '../../config/policy-files.js'
import { settingsOf } from '../../src/assembly/from-config/policies.js'
import { loadPolicySet } from '../../src/assembly/from-config/policy-set.js'
import type { LoadedPolicy } from '../../src/assembly/from-config/policy-set.js'
import { openReader } from '../../src/audit/queries.js'
import { combine, voiceOf } from '../../src/policy/combine.js'
import type { Effect, Voice } from '../../src/policy/combine.js'
import { addDefaultVoice } from '../../src/policy/default-voice.js'
import { UNCONFIGURED } from '../../src/policy/policy.js'
import { looksAt } from '../../src/policy/rego-reads.js'
import { changedPolicies } from '../../src/replay/policy-changes.js'
import { diffPolicies } from '../../src/replay/policy-diff.js'
import { wholeInput } from '../../src/replay/recorded-document.js'
import { catalogueOf, householdOf } from '../../src/replay/recorded-household.js'
import { RECORDED_COLUMNS, Replay } from '../../src/replay/recorded-input.js'
import { writeMadeRecord } from '../../tools/replay/made-record.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

const NOW = Date.parse('2026-03-20T12:00:00Z')
const ROWS = 400
const KINDS = ['nothing', 'allow', 'alert', 'redact', 'deny'] as const
const STRENGTH = { allow: 0, alert: 1, redact: 2, block: 3 } as const

/** Looks at all of the input. */
const OWN = `package yori.own
alert contains "a shell" if {
  some key, value in input
  key == "request"
  "shell" in value.tools
  input.session.tool_calls > 1
}`

const names = readdirSync(SHIPPED_POLICIES)
  .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
  .map((name) => name.slice(0, -'.rego'.length))

interface Unknown {
  readonly policy: LoadedPolicy
  readonly side: 'old' | 'new'
  readonly isShared: boolean
}

/** Rows by what a change makes of them, and of which policies nothing is known. */
async function plainly(config: Config, changed: Config['policies'], clock: ManualClock) {
  const sides = {
    old: {
      set: await loadPolicySet(config.policies, clock),
      settings: settingsOf(config),
    },
    new: {
      set: await loadPolicySet(changed, clock),
      settings: settingsOf({ policies: changed }),
    },
  }
  const isShared = ({ identity }: LoadedPolicy): boolean =>
    [sides.old, sides.new].every(({ set }) =>
      set.policies.some((one) => one.identity === identity),
    )
  const household = householdOf(config, NOW)
  const replay = new Replay({
    ...household,
    catalogue: await catalogueOf(config),
    policies: sides.new.set.policies.map(({ policy }) => policy.name),
  })
  const counts = { same: 0, unknown: 0 }
  const unknownBy: Record<string, number> = {}
  const flips: Record<string, number> = {}
  using reader = openReader(config.audit.database)
  for (const row of reader.each({}, RECORDED_COLUMNS)) {
    const recorded = replay.next(row, true)
    if (recorded === undefined) continue
    const { fixed, isPast } = household.about(recorded)
    const input = wholeInput(recorded.input)
    const unknown: Unknown[] = []
    const voicesOf = (side: 'old' | 'new'): Voice[] => {
      const { set, settings } = sides[side]
      const voices = [...fixed]
      let isUnread = recorded.uninspectable
      for (const loaded of set.policies) {
        const { policy } = loaded
        const setting = settings.get(policy.name) ?? UNCONFIGURED
        if (!setting.enabled) continue
        if ([...recorded.lacks].some((path) => looksAt(policy.reads, path))) {
          unknown.push({ policy: loaded, side, isShared: isShared(loaded) })
          continue
        }
        const said = policy.judge(input, { nowMs: recorded.nowMs })
        if (said?.kind === 'exhausted') isUnread = true
        else if (said !== undefined) voices.push(voiceOf(policy.name, said, setting))
      }
      const blocks = set.policies.some(({ policy }) => {
        const { enabled, action } = settings.get(policy.name) ?? UNCONFIGURED
        return policy.readsContent && enabled && action === 'block'
      })
      if (isUnread && blocks)
        voices.push({
          ...{ policy: 'uninspectable', effect: 'block', reason: '' },
          ...{ order: Number.MAX_SAFE_INTEGER, explicitAllow: false },
        })
      return voices
    }
    const effectOf = (side: 'old' | 'new', voices: Voice[]): [Effect, string] => {
      const setting = sides[side].settings.get('default')
      addDefaultVoice(voices, setting?.enabled === true ? setting : undefined)
      const { winner } = combine(voices)
      if (winner === undefined) return ['allow', '']
      const isLet = winner.effect === 'block' && isPast(winner.policy)
      return [isLet ? 'allow' : winner.effect, winner.policy]
    }
    const known = { old: voicesOf('old'), new: voicesOf('new') }
    const answers = new Set<string>()
    let first = ''
    for (const both of KINDS)
      for (const old of KINDS)
        for (const fresh of KINDS) {
          const said = (side: 'old' | 'new'): [Effect, string] =>
            effectOf(side, [
              ...known[side],
              ...unknown
                .filter((one) => one.side === side)
                .flatMap(({ policy: { policy }, isShared: is }) => {
                  const kind = is ? both : side === 'old' ? old : fresh
                  const setting = sides[side].settings.get(policy.name) ?? UNCONFIGURED
                  if (kind === 'nothing') return []
                  return [voiceOf(policy.name, { kind }, setting)]
                }),
            ])
          const [[from, by], [to, byNew]] = [said('old'), said('new')]
          const who = STRENGTH[to] > STRENGTH[from] ? byNew : by
          const answer = from === to ? 'same' : `${from} to ${to}`
          if (answers.size === 0) first = from === to ? 'same' : `${who} ${answer}`
          answers.add(answer)
        }
    if (answers.size > 1) {
      counts.unknown++
      for (const name of new Set(unknown.map(({ policy }) => policy.policy.name)))
        unknownBy[name] = (unknownBy[name] ?? 0) + 1
    } else if (first === 'same') counts.same++
    else flips[first] = (flips[first] ?? 0) + 1
  }
  return { ...counts, unknownBy, flips }
}

describe('yori policy diff', function () {
  this.timeout(60_000)
  let folder: TempFolder
  before(async () => {
    folder = await tempFolder()
    mkdirSync(folder.file('own'))
    writeFileSync(folder.file('own/own.rego'), OWN)
    writeMadeRecord(folder.file('state/audit.db'), { rows: ROWS, days: 20, endMs: NOW })
  })
  after(() => folder[Symbol.asyncDispose]())

  const read = (more: object): Config => {
    const files = Object.fromEntries(
      names.map((name, i) => [
        name,
        {
          action: i % 5 === 0 ? 'block' : 'alert',
          params: name === 'model_allowlist' ? { models: ['gpt-4o-mini'] } : {},
        },
      ]),
    )
    const text = {
      state_dir: folder.file('state'),
      enforcement: {
        timezone: 'Europe/Berlin',
        allowlist: { devices: [{ name: 'den', ip: '192.0.2.13' }] },
      },
      policies: { directory: folder.file('own'), files },
      ...more,
    }
    writeFileSync(folder.file('yori.conf'), JSON.stringify(text))
    const path = folder.file('yori.conf')
    const found = loadConfig({ path, env: {}, cwd: folder.path })
    assert.ok(found.kind === 'ok', JSON.stringify(found))
    return found.config
  }

  for (const [what, set] of [
    ['what asks the hour', ['bedtime.action=block']],
    ['what looks at the text', ['privacy.action=block', 'injection.action=block']],
    ['counters', ['high_usage.action=block', 'high_usage.params.daily_threshold=2']],
    ['one that is off', ['homework_helper.enabled=false', 'own.action=block']],
    [
      'parameters',
      ['bedtime.params.start_hour=8', 'high_usage.params.daily_threshold=5'],
    ],
    ['everything', names.map((name) => `${name}.action=block`)],
    ['less', names.map((name) => `${name}.action=alert`)],
  ] as const) {
    it(`comes to the same as a plain comparison: ${what}`, async () => {
      const config = read({})
      const changed = changedPolicies(config.policies, { set })
      const clock = new ManualClock(NOW)
      const report = await diffPolicies({
        ...{ config, changed, since: '30d', clock },
        ...{ interrupted: () => false, progress: () => undefined },
      })
      const flips: Record<string, number> = {}
      for (const { policy, from, to, count } of report.flips) {
        const key = `${policy} ${from} to ${to}`
        flips[key] = (flips[key] ?? 0) + count
      }
      const { same, unknown, unknownBy } = report
      const plain = await plainly(config, changed, clock)
      const { unknownBy: all, ...counts } = plain
      assert.deepEqual({ same, unknown, flips }, counts)
      // Those that could make no difference are not named.
      for (const [name, count] of Object.entries(unknownBy))
        assert.ok(count <= (all[name] ?? 0), name)
      assert.equal(report.rows, ROWS)
      assert.ok(report.flipped + unknown > 0)
    })
  }
})
