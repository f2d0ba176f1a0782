/**
 * What does not end steering, and is not said to have: a clock that is set back, a disk that is
 * full, another hand in the sets of its table, a network manager that takes the probe's end away.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readOptional } from '../../pf/apply.js'
import { parseOffPeriods } from '../../pf/off-periods.js'
import { FAMILIES, Household, LLM, PROVIDER, SOONER } from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

const OFTEN = {
  ...SOONER,
  ...{ YORI_REFRESH_EVERY: '1', YORI_WAY_EVERY: '1', YORI_WAY_SECONDS: '5' },
}
const YORI_TWICE = ['YORI', 'YORI']

const asks = FAMILIES.map((family) => ({ host: PROVIDER[family], name: LLM }))

async function issuers(home: Household): Promise<(string | undefined)[]> {
  const answers = await home.ask(asks)
  return answers.map(({ issuer, error }) =>
    issuer?.startsWith('YORI') ? 'YORI' : (issuer ?? error),
  )
}

const periods = (home: Household, cause: string) =>
  parseOffPeriods(readOptional(home.files.offPeriods) ?? '').filter(
    (period) => period.cause === cause,
  )

const ended = (home: Household, cause: string): boolean =>
  periods(home, cause).some(({ toMs }) => toMs !== undefined)

const isSteered = async (home: Household): Promise<boolean> =>
  (await issuers(home)).join() === YORI_TWICE.join()

describe('steering stays', function () {
  this.timeout(300_000)

  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  it('while the clock is set back, and while others change its sets or take the probe’s end', async () => {
    await using home = await Household.open()
    const { machines } = home
    const back = home.folder.file('back')
    writeFileSync(
      home.folder.file('date'),
      `#!/bin/sh
       [ "$1" = +%s ] && [ -e "${back}" ] || exec /usr/bin/date "$@"
       echo "$(($(/usr/bin/date +%s) - 36000))"`,
      { mode: 0o755 },
    )
    await home.supervise({ ...OFTEN, PATH: `${home.folder.path}:${process.env['PATH']}` })
    home.apply('nft-tproxy')
    assert.deepEqual(await issuers(home), YORI_TWICE)

    writeFileSync(back, '')
    // As it is 90 s after the last time that the supervisor said it is there.
    machines.run('router', 'nft flush set inet yori alive')
    await home.until('it says so again', () => isSteered(home))
    await home.until('the probe is asked on', () => home.says('probe_inet6') === 'good')
    machines.run('router', 'nft flush ruleset')
    await home.until('it is loaded again', () => ended(home, 'flushed'))
    for (const { fromMs, toMs } of periods(home, 'flushed'))
      assert.ok(toMs === undefined || toMs >= fromMs)
    rmSync(back)
    assert.deepEqual(await issuers(home), YORI_TWICE)

    machines.run('router', 'nft delete element inet yori lan_if { "lan0" }')
    machines.run('router', `nft add element inet yori exempt4 { 10.77.0.2 }`)
    await home.until('it is noticed', () => ended(home, 'changed'))
    assert.deepEqual(await issuers(home), YORI_TWICE)
    assert.match(home.yori('pf', 'status').stdout, /changed the table `inet yori`/)

    const has = (): string => machines.run('router', 'ip -o address show up')
    for (const taken of ['address flush dev yori-probe', 'link set yori-probe down']) {
      machines.run('router', `ip ${taken}`)
      await home.until('its end is given back', () =>
        has().includes('yori-probe    inet 192.0.2.'),
      )
      await home.until('the probe is asked', () => home.says('probe_inet') === 'good')
    }
    assert.deepEqual(periods(home, 'not-let-in'), [])
    assert.equal(home.holds, 'both')
  })

  it('on a disk that is full, and where it ends that is said', async () => {
    await using home = await Household.open()
    const { directory } = home.files
    const small = home.folder.file('small')
    mkdirSync(directory, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=755', 'none', directory])
    try {
      await home.supervise(OFTEN)
      home.apply('nft-redirect')
      assert.deepEqual(await issuers(home), YORI_TWICE)
      // Whatever becomes free is taken at once, as by a record.
      const filler = home.machines.spawn('router', 'sh', [
        ...['-c', `echo on; while :; do cat /dev/zero >>"$0/filler"; done 2>"${small}"`],
        directory,
      ])
      await filler.line()
      await home.until(
        'it is full',
        () => readOptional(small)?.includes('space') === true,
      )
      home.machines.run('router', 'nft flush ruleset')
      await home.until('it is loaded again', () => isSteered(home))
      process.kill(home.node, 'SIGKILL')
      await home.until('nothing old is told', () => home.holds === undefined)
      assert.match(home.yori('pf', 'status').stdout, /is the disk full/)
      assert.match(home.yori('status').stdout, /is the disk full/)
      assert.match(home.yori('doctor').stdout, /has not said how it stands/)
      await home.until('the next YORI is led to', () => isSteered(home))

      filler.child.kill('SIGKILL')
      await once(filler.child, 'exit')
      rmSync(`${directory}/filler`)
      await home.until('it is told', () => home.holds === 'both')
      // One within another is none of its own.
      assert.ok(ended(home, 'flushed'), readOptional(home.files.offPeriods))
      await home.stopSupervisor()
    } finally {
      await home.stopSupervisor()
      execFileSync('umount', [directory])
    }
  })
})
