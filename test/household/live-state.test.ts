import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { LivePolicyState } from '../../src/household/live-state.js'
import { MAX_ENTRIES, PolicyDatabase } from '../../src/household/policy-database.js'
import { silentLog } from '../../src/core/log.js'
import type { Emergency, Grant, ListedDevice } from '../../src/policy/state.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp-folder.js'

const laptop: ListedDevice = {
  name: 'laptop',
  ip: '192.0.2.10',
  enabled: true,
  permanent: false,
}
const entry = { key: '192.0.2.10', value: laptop, addedAt: 1, addedBy: 'anna' }

class Live implements Disposable {
  readonly state: LivePolicyState
  readonly expired: Emergency[] = []

  constructor(file: string, clock: ManualClock) {
    const onExpired = (emergency: Emergency): void => void this.expired.push(emergency)
    this.state = new LivePolicyState({ file, clock, log: silentLog, onExpired })
    this.state.check()
  }

  [Symbol.dispose](): void {
    this.state.stop()
  }
}

describe('the policy database', () => {
  it('is a file for its owner alone and keeps what it is given', async () => {
    await using folder = await tempFolder()
    const file = folder.file('state/policy.db')
    {
      using database = new PolicyDatabase(file)
      database.put('device', entry)
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.equal(statSync(folder.file('state')).mode & 0o777, 0o700)
    }
    using again = new PolicyDatabase(file)
    assert.deepEqual(again.list('device'), [entry])
    assert.deepEqual(again.state(0).devices, [laptop])
    assert.equal(again.remove('device', entry.key), true)
    assert.equal(again.remove('device', entry.key), false)
  })

  it('has room for so many entries, and says so', async () => {
    await using folder = await tempFolder()
    using database = new PolicyDatabase(folder.file('policy.db'))
    for (let i = 0; i < MAX_ENTRIES; i++)
      database.put('device', { ...entry, key: `${i}` })
    assert.throws(() => database.put('device', { ...entry, key: 'more' }), {
      code: 'YORI_STATE_UNUSABLE',
    })
    database.put('device', { ...entry, key: '0', addedBy: 'ben' })
  })

  it('keeps no permission whose time is over, so that they never fill it', async () => {
    await using folder = await tempFolder()
    using database = new PolicyDatabase(folder.file('policy.db'))
    const give = (i: number): void => {
      const value: Grant = {
        ...{ id: `${i}`, ip: '192.0.2.10', policy: 'default' },
        ...{ until: i + 10, once: false },
      }
      database.put('grant', { key: value.id, value, addedAt: i, addedBy: 'password' })
    }
    for (let i = 0; i < MAX_ENTRIES + 20; i++) give(i)
    assert.equal(database.list('grant').length, 10)
  })

  it('remembers past emergencies', async () => {
    await using folder = await tempFolder()
    using database = new PolicyDatabase(folder.file('policy.db'))
    database.activate({ activatedAt: 1, expiresAt: 100, by: 'anna', reason: 'doctor' })
    database.extend(200)
    assert.equal(database.emergency()?.expiresAt, 200)
    database.deactivate(150, 'ben')
    assert.equal(database.emergency(), undefined)
    assert.deepEqual(database.history(), [
      {
        activatedAt: 1,
        expiresAt: 200,
        by: 'anna',
        reason: 'doctor',
        endedAt: 150,
        endedBy: 'ben',
      },
    ])
  })
})

describe('a running YORI', () => {
  it('sees what another process changed, and reads nothing when nothing did', async () => {
    await using folder = await tempFolder()
    const file = folder.file('policy.db')
    using live = new Live(file, new ManualClock())
    const before = live.state.current
    live.state.check()
    assert.equal(live.state.current, before)
    using command = new PolicyDatabase(file)
    command.put('device', entry)
    live.state.check()
    assert.deepEqual(live.state.current.devices, [laptop])
    command.remove('device', entry.key)
    live.state.check()
    assert.deepEqual(live.state.current.devices, [])
  })

  it('uses a grant for one request once, whoever asks again', async () => {
    await using folder = await tempFolder()
    const file = folder.file('policy.db')
    const clock = new ManualClock()
    const grant: Grant = {
      id: 'g1',
      ip: '192.0.2.10',
      policy: 'bedtime',
      until: clock.now() + 1000,
      once: true,
    }
    using command = new PolicyDatabase(file)
    command.put('grant', { key: 'g1', value: grant, addedAt: 1, addedBy: 'anna' })
    using live = new Live(file, clock)
    assert.equal(live.state.current.grants.length, 1)
    live.state.spend('g1')
    assert.equal(live.state.current.grants.length, 0)
    command.put('device', entry)
    live.state.check()
    assert.equal(live.state.current.grants.length, 0)
    assert.equal(command.list('grant').length, 0)
  })

  it('ends an emergency at its time, and says so once', async () => {
    await using folder = await tempFolder()
    const file = folder.file('policy.db')
    const clock = new ManualClock()
    using command = new PolicyDatabase(file)
    const expiresAt = clock.now() + 60_000
    command.activate({ activatedAt: clock.now(), expiresAt, by: 'anna', reason: 'x' })
    using live = new Live(file, clock)
    assert.equal(live.state.current.emergency?.expiresAt, expiresAt)
    clock.advance(60_000)
    live.state.check()
    live.state.check()
    assert.equal(live.state.current.emergency, undefined)
    assert.equal(live.expired.length, 1)
    assert.equal(command.history()[0]?.endedBy, 'its time')
  })

  it('never waits for a lock', async () => {
    await using folder = await tempFolder()
    const file = folder.file('policy.db')
    using live = new Live(file, new ManualClock())
    using command = new PolicyDatabase(file)
    command.put('device', entry)
    // A spent grant must be written, and the other holds the write lock.
    live.state.spend('g1')
    using locker = new PolicyDatabase(file)
    locker.locked(() => live.state.check())
    assert.deepEqual(live.state.current.devices, [])
    live.state.check()
    assert.deepEqual(live.state.current.devices, [laptop])
  })

  it('lists nobody when the database cannot be read, and goes on', async () => {
    await using folder = await tempFolder()
    using live = new Live(folder.path, new ManualClock())
    assert.deepEqual(live.state.current.devices, [])
  })
})
