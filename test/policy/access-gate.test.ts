/** What holders of keys of ours may use, of their own and together with others. */
import assert from 'node:assert/strict'
import { AccessGate, holderOf } from '../../src/policy/access-gate.js'
import type { KeyHolder, SubjectLimits } from '../../src/policy/access-gate.js'
import { digestOfKey, newKey } from '../../src/policy/access-keys.js'
import type { AccessKey } from '../../src/policy/access-keys.js'
import { InFlight } from '../../src/policy/in-flight.js'
import { LocalTimes } from '../../src/policy/local-time.js'
import { UsageCounters } from '../../src/policy/usage.js'
import { ManualClock } from '../support/manual-clock.js'

const app: AccessKey = { name: 'app', digest: digestOfKey('yori-a'), models: [] }

class Lab {
  readonly clock = new ManualClock()
  readonly counters = new UsageCounters()
  readonly times = new LocalTimes()
  keys: readonly AccessKey[] = []
  readonly gate: AccessGate

  constructor(limits: readonly SubjectLimits[] = []) {
    const { clock, counters, times } = this
    const memory = {
      ...{ counters, times, inFlight: new InFlight() },
      ...{ rates: new Map(), guessed: new Map() },
    }
    const keys = (): readonly AccessKey[] => this.keys
    this.gate = new AccessGate({ memory, keys, limits, zone: 'UTC', clock })
  }

  holder(key: Partial<AccessKey>): KeyHolder {
    this.keys = [{ ...app, ...key }]
    const found = this.gate.find('yori-a')
    assert.ok(typeof found === 'object')
    return found
  }

  spend(holder: KeyHolder, microUsd: number): void {
    const time = this.times.at(this.clock.now(), 'UTC')
    const used = { tokens: 10, microUsd, atMostMicroUsd: 0 }
    const subjects = { device: 'd', groups: [], access: holder.subjects }
    this.counters.spend(subjects, used, time)
  }
}

const work = { requestId: 'r', isWork: true, isWhole: true }

describe('a holder of a key', () => {
  it('has a new one that is in nothing of what is kept', () => {
    const { key, digest } = newKey()
    // 32 bytes, RFC 4648 §5.
    assert.match(key, /^yori-[A-Za-z0-9_-]{43}$/)
    assert.equal(digest, digestOfKey(key))
    assert.ok(!JSON.stringify(holderOf({ ...app, digest }, [])).includes(key))
  })

  it('is found as long as its key is kept', () => {
    const lab = new Lab()
    lab.holder({})
    lab.keys = []
    assert.equal(lab.gate.find('yori-a'), 'unknown')
  })

  it('counts for its key, app, person, group and tags', () => {
    const { holder } = {
      holder: new Lab().holder({ person: 'Mia', tags: ['team:a', 'b'] }),
    }
    assert.deepEqual(holder.subjects, [
      ...['key app', 'app app', 'person Mia', 'tag team:a', 'tag b'],
    ])
    assert.deepEqual(holder.tags, { team: 'a', b: '' })
  })

  it('asks as often as the strictest of them says, and takes from none when refused', () => {
    const lab = new Lab([
      { kind: 'tag', name: 'b', models: [], requestsPerMinute: 2 },
      { kind: 'tag', name: 'other', models: [], requestsPerMinute: 1 },
    ])
    const tagged = lab.holder({ requestsPerMinute: 3, tags: ['b'] })
    assert.equal(lab.gate.request(tagged), undefined)
    assert.equal(lab.gate.request(tagged), undefined)
    const refused = lab.gate.request(tagged)
    assert.equal(refused?.code, 'YORI_KEY_RATE_LIMITED')
    assert.equal(refused.retryAfterS, 30)
    // The key itself has one left.
    const alone = lab.holder({ requestsPerMinute: 3 })
    assert.equal(lab.gate.request(alone), undefined)
    assert.equal(lab.gate.request(alone)?.code, 'YORI_KEY_RATE_LIMITED')
  })

  it('pays tokens as they turn out, and what was refused pays nothing', () => {
    const lab = new Lab()
    const holder = lab.holder({ tokensPerMinute: 100 })
    assert.equal(lab.gate.tokens(holder, 'a', 60), undefined)
    // Asked again while it waits, it is not counted twice.
    assert.equal(lab.gate.tokens(holder, 'a', 60), undefined)
    assert.equal(lab.gate.tokens(holder, 'b', 60)?.retryAfterS, 12)
    lab.gate.ended(holder, 'a', 0)
    lab.gate.ended(holder, 'b', 0)
    // More than a minute's passes when there is a whole minute's.
    assert.equal(lab.gate.tokens(holder, 'c', 5000), undefined)
    lab.gate.ended(holder, 'c', 300)
    assert.equal(lab.gate.tokens(holder, 'd', 1)?.retryAfterS, 121)
  })

  for (const [models, asked, isAllowed] of [
    [[], ['anything'], true],
    [['gpt-4o*'], ['gpt-4o-mini'], true],
    [['gpt-4o*'], ['o3'], false],
    // A body that names two, or a fallback.
    [['gpt-4o*'], ['gpt-4o', 'o3'], false],
    [['gpt-4o*'], [], false],
  ] as const)
    it(`for ${models.join() || 'all'} may${isAllowed ? '' : ' not'} have ${asked.join() || 'none'}`, () => {
      const lab = new Lab()
      const refused = lab.gate.model(lab.holder({ models }), { ...work, models: asked })
      assert.equal(refused?.code, isAllowed ? undefined : 'YORI_KEY_MODEL_REFUSED')
    })

  it('may list models, and is not believed a body that was not read whole', () => {
    const lab = new Lab()
    const holder = lab.holder({ models: ['a'] })
    const list = { ...work, isWork: false, models: [] }
    assert.equal(lab.gate.model(holder, list), undefined)
    const cut = { ...work, isWhole: false, models: ['a'] }
    assert.equal(lab.gate.model(holder, cut)?.code, 'YORI_KEY_MODEL_REFUSED')
  })

  it('spends its own money and that of its group, by the month', () => {
    const lab = new Lab([{ kind: 'group', name: 'kids', models: [], usdPerMonth: 1 }])
    const holder = lab.holder({ usdPerMonth: 20, group: 'kids' })
    assert.equal(lab.gate.budget(holder, 'r', undefined), undefined)
    lab.spend(lab.holder({ name: 'another', group: 'kids' }), 1_000_000)
    const refused = lab.gate.budget(holder, 'r', undefined)
    assert.equal(refused?.code, 'YORI_KEY_BUDGET_SPENT')
    assert.match(refused.detail, /\$1\.00 of the group kids/)
    lab.clock.advance(32 * 86_400_000)
    assert.equal(lab.gate.budget(holder, 'r', undefined), undefined)
  })
})
