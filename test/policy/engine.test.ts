import assert from 'node:assert/strict'
import type { Bypass, BypassType } from '../../src/policy/bypass.js'
import { mayBlock } from '../../src/policy/consent.js'
import type { Mode } from '../../src/policy/consent.js'
import { Engine } from '../../src/policy/engine.js'
import type { Decision, EngineOptions, Question } from '../../src/policy/engine.js'
import { UNCONFIGURED } from '../../src/policy/policy.js'
import type { Policy, PolicySetting, Redaction } from '../../src/policy/policy.js'
import { input, policy } from './support.js'

const MODES: readonly Mode[] = ['observe', 'advisory', 'enforce']
const SWITCHES = [
  { enabled: false, consentAccepted: false },
  { enabled: false, consentAccepted: true },
  { enabled: true, consentAccepted: false },
  { enabled: true, consentAccepted: true },
]
const ACTIONS = ['allow', 'alert', 'block', 'unconfigured', 'disabled'] as const
const BYPASSES: readonly (BypassType | undefined)[] = [
  undefined,
  'emergency_override',
  'allowlist',
  'time_exception',
  'grant',
]

const clock = { now: () => 0, monotonic: () => 0 }
const question: Question = {
  input,
  deviceName: undefined,
  uninspectable: undefined,
  bypass: () => undefined,
  emergency: () => undefined,
  redact: () => undefined,
}

function setting(part: Partial<PolicySetting>): PolicySetting {
  return { ...UNCONFIGURED, ...part }
}

function engine(
  policies: readonly Policy[],
  settings: Record<string, Partial<PolicySetting>> = {},
  rest: Partial<EngineOptions> = {},
): Engine {
  const full = Object.entries(settings).map(
    ([name, part]) => [name, setting(part)] as const,
  )
  return new Engine({
    policies,
    settings: new Map(full),
    mode: 'enforce',
    mayBlock: true,
    onUninspectable: undefined,
    clock,
    ...rest,
  })
}

function decided(engine: Engine, about: Partial<Question> = {}): Decision {
  const decision = engine.decide({ ...question, ...about })
  assert.ok(!(decision instanceof Promise))
  return decision
}

function settingsFor(
  action: (typeof ACTIONS)[number],
): Record<string, Partial<PolicySetting>> {
  if (action === 'unconfigured') return {}
  if (action === 'disabled') return { night: { enabled: false } }
  return { night: { action } }
}

describe('the decision on a policy that denies', () => {
  let cases = 0
  for (const mode of MODES) {
    for (const switches of SWITCHES) {
      for (const action of ACTIONS) {
        for (const type of BYPASSES) {
          cases++
          const on = mode === 'enforce' && switches.enabled && switches.consentAccepted
          const wouldBlock = action === 'block'
          const expected = {
            enforce: on && wouldBlock && type === undefined,
            bypass: wouldBlock ? type : undefined,
            verdict: expectedVerdict({ mode, on, action, bypassed: type !== undefined }),
            policy: action === 'disabled' ? undefined : 'night',
          }
          const title = `${mode}, ${JSON.stringify(switches)}, action ${action}, bypass ${type ?? 'none'}`
          it(`is as the table says: ${title}`, () => {
            const decision = decided(
              engine([policy('night', { kind: 'deny' })], settingsFor(action), {
                mode,
                mayBlock: mayBlock({ mode, ...switches }),
              }),
              { bypass: () => (type === undefined ? undefined : bypass(type)) },
            )
            const { enforce, verdict, policy: name } = decision
            assert.deepEqual(
              { enforce, verdict, policy: name, bypass: decision.bypass?.type },
              expected,
            )
          })
        }
      }
    }
  }
  it('was tried in every combination', () => assert.equal(cases, 3 * 4 * 5 * 5))
})

function expectedVerdict(about: {
  mode: Mode
  on: boolean
  action: (typeof ACTIONS)[number]
  bypassed: boolean
}): string {
  if (about.action === 'disabled' || about.action === 'allow') return 'allow'
  if (about.action !== 'block') return 'alert'
  if (about.bypassed || about.on || about.mode === 'observe') return 'deny'
  return 'alert'
}

function bypass(type: BypassType): Bypass {
  return { type, reason: type }
}

describe('TRAP: the final decision reads mode, switch, consent and the action', () => {
  it('and a denial alone blocks nothing', () => {
    const denies = policy('night', { kind: 'deny' })
    assert.equal(decided(engine([denies])).enforce, false)
    assert.equal(decided(engine([denies], { night: { action: 'block' } })).enforce, true)
    const observing = { mode: 'observe', mayBlock: false } as const
    const settings = { night: { action: 'block' } } as const
    assert.equal(decided(engine([denies], settings, observing)).enforce, false)
  })
})

describe('policies together', () => {
  const all = {
    a: { action: 'block' },
    b: { action: 'block' },
    c: { action: 'block' },
    d: { action: 'block' },
  } as const
  const kinds = { a: 'allow', b: 'alert', c: 'redact', d: 'deny' } as const

  it('come to the strongest opinion and list the others', () => {
    const policies = Object.entries(kinds).map(([name, kind]) => policy(name, { kind }))
    const decision = decided(engine(policies, all))
    assert.equal(decision.policy, 'd')
    assert.deepEqual(
      decision.others.map((voice) => [voice.policy, voice.effect]),
      [
        ['c', 'redact'],
        ['b', 'alert'],
        ['a', 'allow'],
      ],
    )
  })

  it('break a tie by order and then by name', () => {
    const denies = ['zebra', 'apple', 'mango'].map((name) =>
      policy(name, { kind: 'deny' }),
    )
    const block = { action: 'block' } as const
    const plain = { zebra: block, apple: block, mango: block }
    assert.equal(decided(engine(denies, plain)).policy, 'apple')
    const ordered = { ...plain, zebra: { action: 'block', order: 5 } as const }
    assert.equal(decided(engine(denies, ordered)).policy, 'zebra')
  })

  it('do not let one that allows overrule one that denies', () => {
    const decision = decided(
      engine([policy('yes', { kind: 'allow' }), policy('no', { kind: 'deny' })], {
        no: { action: 'block' },
      }),
    )
    assert.equal(decision.enforce, true)
    assert.equal(decision.policy, 'no')
  })

  it('that fail are no opinion when they fail open, and deny when closed', () => {
    const broken: Policy = {
      name: 'broken',
      readsContent: false,
      judge: () => {
        throw new Error('no such key')
      },
    }
    const open = decided(engine([broken], { broken: { action: 'block' } }))
    assert.equal(open.enforce, false)
    assert.deepEqual(open.failed, ['broken'])
    const closed = decided(
      engine([broken], { broken: { action: 'block', failMode: 'closed' } }),
    )
    assert.equal(closed.enforce, true)
    assert.match(closed.reason ?? '', /could not be evaluated/)
  })

  it('may answer later, and a rejected promise is a failure', async () => {
    const later: Policy = {
      name: 'later',
      readsContent: false,
      judge: () => Promise.resolve({ kind: 'deny', message: 'slowly' }),
    }
    const never: Policy = {
      name: 'never',
      readsContent: false,
      judge: () => Promise.reject(new Error('gone')),
    }
    const decision = await engine([later, never], { later: { action: 'block' } }).decide(
      question,
    )
    assert.equal(decision.enforce, true)
    assert.equal(decision.reason, 'slowly')
    assert.deepEqual(decision.failed, ['never'])
  })
})

describe('the default policy', () => {
  const block = { default: { action: 'block' } } as const

  it('is the outcome when nobody else speaks', () => {
    const decision = decided(engine([], block))
    assert.equal(decision.enforce, true)
    assert.equal(decision.policy, 'default')
    assert.equal(decision.reason, 'the default policy blocks every request')
  })

  it('is silenced by an explicit allow and by nothing weaker', () => {
    const allows = decided(engine([policy('listed', { kind: 'allow' })], block))
    assert.equal(allows.enforce, false)
    const alerts = decided(engine([policy('privacy', { kind: 'alert' })], block))
    assert.equal(alerts.policy, 'default')
    assert.equal(alerts.enforce, true)
    const cutDown = decided(
      engine([policy('noted', { kind: 'deny' })], {
        ...block,
        noted: { action: 'allow' },
      }),
    )
    assert.equal(cutDown.policy, 'default')
  })

  it('leaves the word to a policy that blocks by itself', () => {
    const decision = decided(
      engine([policy('zzz', { kind: 'deny' })], { ...block, zzz: { action: 'block' } }),
    )
    assert.equal(decision.policy, 'zzz')
  })

  it('follows its own rules where they alert or deny', () => {
    const own = policy('default', { kind: 'alert', message: 'look' })
    const decision = decided(engine([own], block))
    assert.equal(decision.enforce, false)
    assert.equal(decision.reason, 'look')
    const allowing = decided(engine([policy('default', { kind: 'allow' })], block))
    assert.equal(allowing.enforce, true)
  })

  it('is silent when it is switched off or not configured', () => {
    assert.equal(engine([]).idle, true)
    assert.equal(engine([], { default: { enabled: false, action: 'block' } }).idle, true)
  })
})

describe('a request that cannot be inspected', () => {
  const reader = policy('models', undefined, true)
  const blocking = { models: { action: 'block' } } as const
  const about = { uninspectable: 'it is over 1024 bytes' }

  it('is blocked where a policy that may block reads content', () => {
    const decision = decided(engine([reader], blocking), about)
    assert.equal(decision.enforce, true)
    assert.equal(decision.policy, 'uninspectable')
    assert.match(decision.reason ?? '', /over 1024 bytes/)
  })

  it('passes where none does, in other modes, and where the operator says so', () => {
    const blind = policy('models', undefined, false)
    assert.equal(decided(engine([blind], blocking), about).enforce, false)
    const alerting = { models: { action: 'alert' } } as const
    assert.equal(decided(engine([reader], alerting), about).enforce, false)
    const advisory = { mode: 'advisory', mayBlock: false } as const
    assert.equal(decided(engine([reader], blocking, advisory), about).enforce, false)
    const allowed = { onUninspectable: 'allow' } as const
    assert.equal(decided(engine([reader], blocking, allowed), about).enforce, false)
  })

  it('is what spends a step budget, too', () => {
    const spent = policy('models', { kind: 'exhausted' }, true)
    const decision = decided(engine([spent], blocking))
    assert.equal(decision.enforce, true)
    assert.match(decision.reason ?? '', /more than policy models can read/)
  })
})

describe('a grant', () => {
  const denies = (name: string): Policy => policy(name, { kind: 'deny' })
  const settings = {
    bedtime: { action: 'block', order: 1 },
    privacy: { action: 'block' },
  } as const
  const granted = (...names: string[]) => ({
    bypass: (name: string): Bypass | undefined =>
      names.includes(name)
        ? { type: 'grant', reason: 'granted once', spent: `for ${name}` }
        : undefined,
  })

  it('for one policy leaves the others to block, and is not used up', () => {
    const both = engine([denies('bedtime'), denies('privacy')], settings)
    const decision = decided(both, granted('bedtime'))
    assert.equal(decision.enforce, true)
    assert.equal(decision.policy, 'privacy')
    assert.equal(decision.bypass, undefined)
    assert.deepEqual(decision.spent, [])
    assert.deepEqual(
      decision.others.map(({ policy: name }) => name),
      ['bedtime'],
    )
  })

  it('for each of them lets past, and all are used up', () => {
    const both = engine([denies('bedtime'), denies('privacy')], settings)
    const decision = decided(both, granted('bedtime', 'privacy'))
    assert.equal(decision.enforce, false)
    assert.equal(decision.policy, 'bedtime')
    assert.deepEqual(decision.spent, ['for bedtime', 'for privacy'])
  })

  it('does not open what the default policy keeps shut, unless a policy allows', () => {
    const shut = { ...settings, default: { action: 'block' } } as const
    const closed = decided(engine([denies('bedtime')], shut), granted('bedtime'))
    assert.deepEqual([closed.enforce, closed.policy], [true, 'default'])
    const allows = policy('models', { kind: 'allow' })
    const open = decided(engine([denies('bedtime'), allows], shut), granted('bedtime'))
    assert.deepEqual([open.enforce, open.policy], [false, 'bedtime'])
  })
})

describe('a redaction', () => {
  const wants: Redaction = { kind: 'text', text: 'secret', label: 'x' }
  const redacts = policy('words', { kind: 'redact', redactions: [wants] }, true)
  const block = { words: { action: 'block' } } as const
  const taken: (readonly Redaction[])[] = []
  const done = {
    redact: (redactions: readonly Redaction[]): number => {
      taken.push(redactions)
      return 2
    },
  }
  beforeEach(() => taken.splice(0))

  it('acts in enforce, is stronger than an alert and weaker than a block', () => {
    const decision = decided(
      engine([redacts, policy('watch', { kind: 'alert' })], block),
      done,
    )
    const { enforce, effect, policy: name, redacted, verdict } = decision
    assert.deepEqual(
      [enforce, effect, name, redacted, verdict],
      [false, 'redact', 'words', 2, 'alert'],
    )
    assert.deepEqual(taken, [[wants]])
    const blocked = decided(
      engine([redacts, policy('night', { kind: 'deny' })], {
        ...block,
        night: { action: 'block' },
      }),
      done,
    )
    assert.deepEqual(
      [blocked.enforce, blocked.policy, blocked.redacted],
      [true, 'night', undefined],
    )
  })

  it('does not act in observe and advisory, or where its action is less', () => {
    for (const mode of ['observe', 'advisory'] as const) {
      const decision = decided(engine([redacts], block, { mode, mayBlock: false }), done)
      assert.deepEqual([decision.redacted, decision.verdict], [undefined, 'alert'])
    }
    const decision = decided(engine([redacts], { words: { action: 'alert' } }), done)
    assert.deepEqual([decision.redacted, decision.effect], [undefined, 'alert'])
    assert.deepEqual(taken, [])
  })

  it('stays where a block is let past, and ends with the emergency override', () => {
    const denies = policy('night', { kind: 'deny' })
    const both = engine([redacts, denies], { ...block, night: { action: 'block' } })
    const allowed = decided(both, { ...done, bypass: () => bypass('allowlist') })
    assert.deepEqual(
      [allowed.enforce, allowed.redacted, allowed.bypass?.type],
      [false, 2, 'allowlist'],
    )
    const off = decided(engine([redacts], block), {
      ...done,
      emergency: () => bypass('emergency_override'),
    })
    assert.deepEqual([off.redacted, off.bypass?.type], [undefined, 'emergency_override'])
  })

  it('that cannot be done is a request that cannot be inspected', () => {
    const decision = decided(engine([redacts], block))
    assert.deepEqual([decision.enforce, decision.policy], [true, 'uninspectable'])
    const open = decided(engine([redacts], block, { onUninspectable: 'allow' }))
    assert.deepEqual(
      [open.enforce, open.policy, open.redacted],
      [false, 'words', undefined],
    )
  })

  it('of nothing in particular alerts', () => {
    const decision = decided(engine([policy('words', { kind: 'redact' })], block), done)
    assert.deepEqual([decision.redacted, decision.verdict], [undefined, 'alert'])
    assert.deepEqual(taken, [])
  })
})
