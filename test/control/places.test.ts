import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { askRunning } from '../../src/control/ask.js'
import { Control } from '../../src/control/control.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import type { Log } from '../../src/core/log.js'
import { Controlled } from '../support/control.js'

describe('the places of the control plane', () => {
  it('serves on where its port is taken, and says so once', async () => {
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const said: object[] = []
    const say = (fields: object): void => void said.push(fields)
    const log: Log = { debug: say, info: say, warn: say, error: say }
    try {
      const config = { control: { listen: `127.0.0.1:${port}` } }
      await using on = await Controlled.start({ config }, { log })
      assert.equal(on.control.places.listen, undefined)
      assert.match(on.control.places.problem ?? '', /another program listens there/)
      assert.equal(said.length, 1)
      const asked = await askRunning(on.stateDir, { path: '/api/status' })
      assert.ok(asked.kind === 'answered')
      const { control } = asked.body as { control: { problem: string } }
      assert.match(control.problem, new RegExp(`127.0.0.1:${port}`))
      const link = { verb: 'POST', path: '/api/login-links' } as const
      const refused = await askRunning(on.stateDir, link)
      assert.ok(refused.kind === 'answered' && refused.status === 503)
    } finally {
      other.close()
    }
  })

  it('has the socket alone where it is off', async () => {
    await using on = await Controlled.start({ config: { control: { listen: 'off' } } })
    assert.deepEqual(Object.keys(on.control.places), ['socket'])
    assert.equal((await on.ask('/api/me', { socket: true })).status, 200)
  })

  it('stays open over a reload, keeps its logins, and moves without a gap', async () => {
    await using on = await Controlled.start()
    const [before, token] = [on.address, on.token]
    await on.yori.reload({ mode: 'advisory' })
    await on.control.use(on.yori.appliance.current.config)
    assert.equal(on.address, before)
    const { body } = await on.ask('/api/status', { token })
    assert.equal((body as { mode: string }).mode, 'advisory')
    await on.yori.reload({ control: { listen: '[::1]:0' } })
    await on.control.use(on.yori.appliance.current.config)
    assert.match(on.address, /^\[::1\]:/)
    const asked = await askRunning(on.stateDir, { path: '/health' })
    assert.ok(asked.kind === 'answered' && asked.status === 200)
  })

  it('keeps the token over a start, makes one where it is none, and closes it to others', async () => {
    await using on = await Controlled.start()
    const { token, stateDir } = on
    const path = on.yori.folder.file('state', 'control.token')
    const again = async (): Promise<string> => {
      const control = new Control(on.yori.appliance.current.config, {
        appliance: on.yori.appliance,
        telemetry: on.telemetry,
        clock: systemClock,
        log: silentLog,
        version: '0',
        startedAt: 0,
        source: undefined,
      })
      await control.start()
      await control.stop()
      return readFileSync(path, 'utf8').trim()
    }
    chmodSync(path, 0o644)
    assert.equal(await again(), token)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    writeFileSync(path, 'short\n')
    const fresh = await again()
    assert.notEqual(fresh, 'short')
    assert.match(fresh, /^[\w-]{43}$/)
    await on.control.stop()
    assert.equal(existsSync(on.yori.folder.file('state', 'control.sock')), false)
    const asked = await askRunning(stateDir, { path: '/health' })
    assert.ok(asked.kind === 'unreachable')
  })
})
