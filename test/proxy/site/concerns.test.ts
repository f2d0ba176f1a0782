/** What is wrong while traffic passes: `/health` and `yori status` say it. */
import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { runningSection } from '../../../src/cli/status/status-running.js'
import { systemClock } from '../../../src/core/clock.js'
import { ManualClock } from '../../support/manual-clock.js'
import { ask, behind, get, NAME, until } from '../../support/proxied.js'
import type { Yori } from '../../support/yori.js'

async function concerns(yori: Yori): Promise<readonly [string, unknown[]]> {
  const answer = await fetch(`${yori.url}/health`)
  assert.equal(answer.status, 200)
  const { status, concerns: all = [] } = (await answer.json()) as {
    status: string
    concerns?: { kind: string }[]
  }
  return [status, all.map(({ kind }) => kind)]
}

async function statusLines(yori: Yori): Promise<string> {
  const config = {
    ...yori.appliance.current.config,
    listen: [`127.0.0.1:${yori.port}`],
  }
  const found = await runningSection.read({ config, clock: systemClock, days: 1 })
  return `${found.level}\n${found.lines.join('\n')}`
}

describe('what is wrong while traffic passes', () => {
  it('is nothing in a healthy house', async () => {
    await using setup = await behind((_request, response) => void response.end('ok'))
    const socket = await setup.yori.tls(NAME)
    await ask(socket, get('/v1/models'))
    socket.destroy()
    assert.deepEqual(await concerns(setup.yori), ['healthy', []])
    assert.match(await statusLines(setup.yori), /^good\n/)
  })

  it('is our clock, when providers differ by more than ten minutes', async () => {
    const clock = new ManualClock(systemClock.now() + 12 * 60_000)
    await using setup = await behind(
      (_request, response) => void response.end('ok'),
      {},
      clock,
    )
    const socket = await setup.yori.tls(NAME)
    await ask(socket, get('/v1/models'))
    socket.destroy()
    assert.deepEqual(await concerns(setup.yori), ['degraded', ['clock']])
    assert.match(await statusLines(setup.yori), /^notice\n[^]*12 minutes ahead of/)
  })

  it('is the record, when its file was replaced', async () => {
    const config = { audit: { batch_ms: 10 } }
    await using setup = await behind(
      (_request, response) => void response.end('ok'),
      config,
    )
    const { yori } = setup
    await yori.rows('exchanges')
    renameSync(yori.database, `${yori.database}.elsewhere`)
    await until(async () => {
      const socket = await yori.tls(NAME)
      await ask(socket, get('/v1/models'))
      socket.destroy()
      await yori.appliance.audit.flush()
      return (await concerns(yori))[0] === 'degraded'
    })
    assert.deepEqual(await concerns(yori), ['degraded', ['store']])
    assert.match(await statusLines(yori), /the record began anew/)
  })
})
