/** Clients that will not have our certificate: what they do on the wire, and what follows. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { pinningCommand } from '../../../src/cli/commands/household/pinning.js'
import { systemClock } from '../../../src/core/clock.js'
import { readLessons } from '../../../src/net/lessons-file.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import { curl } from '../../support/programs.js'
import { ask, behind, certificate, get, joined } from '../../support/proxied.js'
import { NAME, originCa, until } from '../../support/proxied.js'
import type { Row } from '../../support/yori.js'
import { Yori } from '../../support/yori.js'
import { needs } from '../../support/needs.js'

async function coverages(yori: Yori, count: number): Promise<unknown[]> {
  let rows: Row[] = []
  await until(async () => {
    rows = await yori.rows('connections')
    return rows.length >= count
  })
  return rows.map((row) => row['coverage'])
}

/** Trusts the public roots and `originCa`, as a device without our root does. */
async function curlOnce(yori: Yori, trusts: 'origin' | 'yori'): Promise<number> {
  const file = yori.folder.file('origin-root.pem')
  writeFileSync(file, originCa.certificatePem)
  const ran = await curl([
    ...['--proxy', yori.url, '--cacert', trusts === 'yori' ? yori.rootFile : file],
    `https://${NAME}/v1/models`,
  ])
  return ran.status
}

/** curl: the certificate did not verify. */
const UNTRUSTED = 60

describe('a client without the root', () => {
  it('called curl fails once and passes untouched from then on', async function () {
    needs(this, 'curl')
    await using setup = await behind((_request, response) => void response.end('ok'))
    assert.equal(await curlOnce(setup.yori, 'origin'), UNTRUSTED)
    assert.equal(await curlOnce(setup.yori, 'origin'), 0)
    assert.deepEqual(await coverages(setup.yori, 2), ['failed', 'tunnel-not-trusted'])
  })

  it('is pinned when its device has used the root before', async function () {
    needs(this, 'curl')
    await using setup = await behind((_request, response) => void response.end('ok'))
    assert.equal(await curlOnce(setup.yori, 'yori'), 0)
    assert.equal(await curlOnce(setup.yori, 'origin'), UNTRUSTED)
    assert.equal(await curlOnce(setup.yori, 'origin'), 0)
    const [, , last] = await coverages(setup.yori, 3)
    assert.equal(last, 'tunnel-pinned')
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`called Node passes after two refusals over ${version}`, async () => {
      await using setup = await behind((_request, response) => void response.end('ok'))
      const options = {
        ca: originCa.certificatePem,
        minVersion: version,
        maxVersion: version,
      } as const
      for (let i = 0; i < 2; i++) {
        await assert.rejects(setup.yori.tls(NAME, options))
        await coverages(setup.yori, i + 1)
      }
      const socket = await setup.yori.tls(NAME, options)
      assert.match(await ask(socket, get('/v1/models')), /^HTTP\/1\.1 200 /)
      socket.destroy()
      const [, , last] = await coverages(setup.yori, 3)
      assert.equal(last, 'tunnel-not-trusted')
    })
  }

  it('is inspected again once `yori pinning clear` was said', async function () {
    needs(this, 'curl')
    await using setup = await behind((_request, response) => void response.end('ok'))
    const { yori } = setup
    const path = yori.folder.file('state/pinning.json')
    const run = async (...args: string[]): Promise<string> => {
      let text = ''
      const command = pinningCommand({
        stateDir: () => yori.folder.file('state'),
        clock: systemClock,
        print: (piece) => (text += piece),
      })
      await command.parseAsync(args, { from: 'user' })
      return text
    }
    assert.equal(await curlOnce(yori, 'origin'), UNTRUSTED)
    await until(async () => {
      yori.appliance.tick()
      return (await readLessons(path)).lessons.length === 1
    })
    assert.match(await run('list'), /127\.0\.0\.1 {2}api\.openai\.com {2}not trusted/)
    assert.match(await run('clear', 'other.test'), /^0 forgotten/)
    assert.match(await run('clear', NAME), /^1 forgotten/)
    assert.match(await run('list'), /^Nothing/)
    // Until it has noticed, curl passes untouched.
    await until(async () => {
      yori.appliance.tick()
      return (await curlOnce(yori, 'origin')) === UNTRUSTED
    })
  })

  it('is refused where a policy that blocks is in force', async function () {
    needs(this, 'curl')
    const origin = await startOrigin({ certificate })
    await using setup = await joined(origin, {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      policies: { default: 'default', files: { default: { action: 'block' } } },
    })
    assert.equal(await curlOnce(setup.yori, 'origin'), UNTRUSTED)
    assert.notEqual(await curlOnce(setup.yori, 'origin'), 0)
    await until(async () => (await setup.yori.rows('connections')).length === 2)
    const [, second] = await setup.yori.rows('connections')
    assert.equal(second?.['coverage'], 'refused')
    assert.equal(second['code'], 'YORI_NOT_INSPECTABLE')
  })
})

describe('a connection opened in advance', () => {
  it('and never used is no refusal', async () => {
    const clock = new ManualClock(systemClock.now())
    await using origin = await startOrigin({ certificate })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      clock,
    })
    for (let i = 0; i < 3; i++) {
      const socket = await yori.tls(NAME)
      // A whole exchange on another one: the handshake of the first is over by then.
      const other = await yori.tls(NAME, { maxVersion: 'TLSv1.2' })
      await ask(other, get('/v1/models'), (soFar) => soFar.includes('ok'))
      other.destroy()
      clock.advance(3_000)
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
      await coverages(yori, 2 * (i + 1))
    }
    const rows = await yori.rows('connections')
    assert.deepEqual([...new Set(rows.map((row) => row['coverage']))], ['inspected'])
  })
})
