/**
 * A supervisor that is killed, and its successor: one YORI, steering as before, and nobody
 * else's process touched.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { parseOffPeriods } from '../../pf/off-periods.js'
import { readOptional } from '../../pf/apply.js'
import {
  FAMILIES,
  Household,
  LLM,
  ORIGIN_CA,
  PROVIDER,
  YORI_PORT,
  answerOf,
} from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

const SOONER = {
  YORI_PROBE_EVERY: '0.2',
  YORI_PROBE_GOOD: '1',
  YORI_BACKOFF_MAX: '1',
  YORI_STOP_SECONDS: '5',
  YORI_PROBE_SECONDS: '20',
}
const OWN_CA = /^YORI/

function parentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1])
}

async function steered(home: Household, when: string): Promise<void> {
  const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))
  for (const { issuer } of await home.ask(asks)) assert.match(issuer ?? '', OWN_CA, when)
}

const periods = (home: Household) =>
  parseOffPeriods(readOptional(home.files.offPeriods) ?? '').filter(
    ({ cause }) => cause !== 'starting',
  )

describe('a supervisor that was killed', () => {
  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  it('has its YORI taken over by the next one, which then looks after it', async () => {
    await using home = await Household.open()
    await home.supervise(SOONER)
    home.apply('nft-tproxy')
    await steered(home, 'before')
    const stream = home.asker([{ host: PROVIDER.inet, name: LLM, stay: true }])
    assert.match((await answerOf(stream)).issuer ?? '', OWN_CA)
    const { node } = home
    await home.killSupervisor()
    await steered(home, 'without any')
    await home.supervise(SOONER)
    await home.until('the successor steers', () => home.says('wish') === 'on')
    await home.until('it is the same YORI', () => home.says('node') === String(node))
    assert.equal(home.holds, 'both')
    assert.deepEqual(home.yoris(), [node], 'no second one')
    await steered(home, 'taken over')
    stream.child.kill('SIGUSR1')
    assert.match((await answerOf(stream)).issuer ?? '', OWN_CA, 'open streams go on')
    assert.deepEqual(periods(home), [])

    process.kill(node, 'SIGKILL')
    await home.until('another YORI is steered to', () => {
      const now = home.says('node')
      return now !== '' && now !== String(node) && home.holds === 'both'
    })
    await steered(home, 'after its end')
    assert.deepEqual(new Set(periods(home).map(({ cause }) => cause)), new Set(['ended']))
  })

  it('has its YORI ended by the next one when nobody waits for it any more', async () => {
    await using home = await Household.open()
    await home.supervise(SOONER)
    home.apply('nft-redirect')
    const { node } = home
    await home.killSupervisor()
    process.kill(parentOf(node), 'SIGKILL')
    await home.supervise(SOONER)
    await home.until('the successor steers to another', () => {
      const now = home.says('node')
      return now !== String(node) && now !== '' && home.holds === 'both'
    })
    assert.deepEqual(home.yoris(), [home.node])
    await steered(home, 'by the new one')
  })

  it('has nobody taken for YORI who only has its number', async () => {
    await using home = await Household.open()
    await home.supervise(SOONER)
    home.apply('nft-tproxy')
    await home.stopSupervisor()
    const other = home.machines.spawn('router', 'sleep', ['1000'])
    writeFileSync(home.folder.file('node.pid'), `${other.child.pid}\n`)
    writeFileSync(home.folder.file('node.born'), '1\n')
    await home.supervise({ ...SOONER, YORI_WORK: home.folder.path })
    await home.until('it steers', () => home.holds === 'both')
    assert.equal(other.child.exitCode ?? other.child.signalCode, null)
  })
})

describe('a supervisor whose YORI hangs while the packet filter is slow', () => {
  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  it('takes steering off all the same', async () => {
    await using home = await Household.open()
    const slow = home.folder.file('slow')
    const nft = home.folder.file('nft')
    // A set is listed when the file is gone, and not before.
    writeFileSync(
      nft,
      `#!/bin/sh
       case "$*" in "list set"*) while [ -e ${slow} ]; do sleep 0.1; done ;; esac
       exec /usr/sbin/nft "$@"`,
      { mode: 0o755 },
    )
    await home.supervise({
      ...SOONER,
      PATH: `${home.folder.path}:${process.env['PATH']}`,
      YORI_REFRESH_EVERY: '1',
      YORI_LOAD_SECONDS: '600',
      YORI_PROBE_SECONDS: '2',
    })
    home.apply('nft-tproxy')
    writeFileSync(slow, '')
    const since = home.log.length
    await home.until('a refresh has begun', () => home.runs('nft', 'list set'))
    process.kill(home.node, 'SIGSTOP')
    await home.until('steering is off', () => home.holds === 'off')
    assert.ok(home.runs('nft', 'list set'), `it still waits: ${home.log.slice(since)}`)
    rmSync(slow)
    const [direct] = await home.ask([{ host: PROVIDER.inet, name: LLM }])
    assert.equal(direct?.issuer, ORIGIN_CA)
  })
})

describe('yori pf apply, from TPROXY to REDIRECT', () => {
  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  for (const supervised of [true, false])
    it(`leaves no route behind ${supervised ? 'with' : 'without'} a supervisor`, async () => {
      await using home = await Household.open()
      await home.supervise(SOONER)
      home.apply('nft-tproxy')
      const routes = (): string =>
        ['-4', '-6']
          .flatMap((family) => [`ip ${family} rule`, `ip ${family} route show table 796`])
          .map((command) => {
            try {
              return home.machines.run('router', command)
            } catch {
              return ''
            }
          })
          .join('')
      assert.match(routes(), /0x796f[\s\S]*local default dev lo/)
      if (!supervised) await home.killSupervisor()
      home.apply('nft-redirect')
      assert.doesNotMatch(routes(), /0x796f|dev lo/)
      await steered(home, `by REDIRECT at port ${YORI_PORT}`)
    })
})
