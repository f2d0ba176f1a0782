/** Clients that will not have our certificate: what they do on the wire, and what follows. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { pinningCommand } from '../../../src/cli/commands/household/pinning.js'
import { systemClock } from '../../../src/core/clock.js'
import { readLessons } from '../../../src/net/lessons-file.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import { curl, runProgram } from '../../support/programs.js'
import { ask, behind, certificate, get, joined } from '../../support/proxied.js'
import { NAME, originCa, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
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

/** Time stands still: nothing is tried again but what a test says. */
function standing(clock = new ManualClock(systemClock.now())): Promise<Proxied> {
  return behind((_request, response) => void response.end('ok'), {}, clock)
}

/** curl: the certificate did not verify. */
const UNTRUSTED = 60

describe('a client without the root', () => {
  it('called curl fails once and passes untouched from then on', async function () {
    needs(this, 'curl')
    await using setup = await standing()
    assert.equal(await curlOnce(setup.yori, 'origin'), UNTRUSTED)
    assert.equal(await curlOnce(setup.yori, 'origin'), 0)
    assert.deepEqual(await coverages(setup.yori, 2), ['failed', 'tunnel-not-trusted'])
  })

  it('is pinned when its device has used the root before', async function () {
    needs(this, 'curl')
    await using setup = await standing()
    assert.equal(await curlOnce(setup.yori, 'yori'), 0)
    assert.equal(await curlOnce(setup.yori, 'origin'), UNTRUSTED)
    assert.equal(await curlOnce(setup.yori, 'origin'), 0)
    const [, , last] = await coverages(setup.yori, 3)
    assert.equal(last, 'tunnel-pinned')
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`called Node passes after two refusals over ${version}`, async () => {
      await using setup = await standing()
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
    await using setup = await standing()
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
    assert.match(await run('list'), /127\.0\.0\.1 {2}api\.openai\.com {2}not trusted yet/)
    assert.match(await run('clear', 'other.test'), /^0 forgotten/)
    assert.match(await run('clear', NAME), /^1 forgotten/)
    assert.match(await run('list'), /^Nothing/)
    // Until it has noticed, curl passes untouched.
    await until(async () => {
      yori.appliance.tick()
      return (await curlOnce(yori, 'origin')) === UNTRUSTED
    })
  })

  it('is inspected again after seconds, and at once when it trusts', async function () {
    needs(this, 'curl')
    const clock = new ManualClock(systemClock.now())
    await using setup = await standing(clock)
    assert.equal(await curlOnce(setup.yori, 'origin'), UNTRUSTED)
    // It trusts now, and is none the wiser for a few seconds.
    assert.notEqual(await curlOnce(setup.yori, 'yori'), 0)
    clock.advance(5_000)
    assert.equal(await curlOnce(setup.yori, 'yori'), 0)
    const [, , last] = await coverages(setup.yori, 3)
    assert.equal(last, 'inspected')
  })

  const ENDS: readonly (readonly [string, (url: string) => Promise<Response>])[] = [
    ['has fetched the certificate', (url) => fetch(`${url}/yori-root.cer`)],
    ['has fetched it as a profile', (url) => fetch(`${url}/yori-root.mobileconfig`)],
    ['presses Test', (url) => fetch(`${url}/trust/again`, { method: 'POST' })],
  ]
  for (const [what, does] of ENDS)
    it(`is inspected again at once when its device ${what}`, async function () {
      needs(this, 'curl')
      await using setup = await standing()
      assert.equal(await curlOnce(setup.yori, 'origin'), UNTRUSTED)
      assert.equal(await curlOnce(setup.yori, 'origin'), 0)
      const answer = await does(setup.yori.url)
      assert.equal(answer.status, 200)
      await answer.arrayBuffer()
      assert.equal(await curlOnce(setup.yori, 'yori'), 0)
      // Its row is there once the connection has ended.
      await until(async () =>
        (await setup.yori.rows('connections')).some(
          (row) => row['coverage'] === 'inspected',
        ),
      )
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

describe('a device whose clock is behind', () => {
  /** OpenSSL as a client at another time. */
  async function verifiesAt(yori: Yori, hoursBehind: number): Promise<string> {
    const at = Math.floor(systemClock.now() / 1000) - hoursBehind * 3600
    const words = [
      ...[
        's_client',
        '-ign_eof',
        '-proxy',
        `127.0.0.1:${yori.port}`,
        '-connect',
        `${NAME}:443`,
      ],
      ...['-servername', NAME, '-CAfile', yori.rootFile, '-verify_return_error'],
      ...['-attime', String(at)],
    ]
    const input = get('/v1/models', 'Connection: close')
    const { stdout, stderr } = await runProgram('openssl', words, { input })
    const output = `${stdout.toString('latin1')}${stderr}`
    return /Verify return code: [^\n]*|verify error:[^\n]*/.exec(output)?.[0] ?? output
  }

  it('by less than 48 hours accepts a new CA and what it signs', async function () {
    needs(this, 'openssl')
    await using setup = await standing()
    for (const hours of [0, 1.5, 47])
      assert.match(await verifiesAt(setup.yori, hours), /code: 0 \(ok\)/, `${hours} h`)
  })

  for (const device of ['has met nobody', 'trusts the root'] as const)
    it(`by more is booked as a clock when it ${device}`, async function () {
      needs(this, 'openssl')
      await using setup = await standing()
      if (device === 'trusts the root')
        assert.equal(await curlOnce(setup.yori, 'yori'), 0)
      assert.match(await verifiesAt(setup.yori, 72), /not yet valid/)
      assert.doesNotMatch(await verifiesAt(setup.yori, 72), /not yet valid/)
      await until(async () => (await setup.yori.rows('connections')).length >= 2)
      const rows = await setup.yori.rows('connections')
      assert.equal(rows.at(-1)?.['coverage'], 'tunnel-clock')
    })
})
