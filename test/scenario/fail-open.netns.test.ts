/**
 * YORI fails, and the household keeps its internet: what a client reaches while YORI is dead,
 * hangs or cannot start, and that steering comes back by itself. How many seconds it takes is
 * measured by tools/bench/fail-open.ts; here nothing depends on them.
 */
import assert from 'node:assert/strict'
import { parseOffPeriods } from '../../pf/off-periods.js'
import { readOptional } from '../../pf/apply.js'
import { faults, outage } from '../support/faults.js'
import { Household, LLM, PROVIDER } from '../support/household.js'
import { NAMESPACES, needs } from '../support/needs.js'

/**
 * Sooner back and sooner killed than usual; as many misses as usual, and each is given time on a
 * machine that is busy.
 */
const SOONER = {
  YORI_PROBE_SECONDS: '5',
  YORI_PROBE_EVERY: '0.2',
  YORI_PROBE_GOOD: '1',
  YORI_KILL_AFTER: '1',
  YORI_BACKOFF_MAX: '1',
}

describe('a household whose YORI fails', () => {
  before(function () {
    needs(this, ...NAMESPACES, 'curl', 'openssl')
  })

  for (const [backend, chosen] of [
    ['nft-tproxy', [faults.blocked, faults.misconfigured]],
    ['nft-redirect', [faults.squatted]],
  ] as const)
    it(`reaches the real servers, and YORI again afterwards: ${backend}`, async () => {
      await using home = await Household.open()
      await home.supervise(SOONER)
      home.apply(backend)
      for (const [index, fault] of chosen.entries()) {
        const family = index % 2 === 0 ? 'inet' : 'inet6'
        const { directMs } = await outage(home, family, fault)
        assert.ok(directMs !== undefined, `${fault.name}: the real server was reached`)
      }
      await home.until('the end of the last period is written', () => {
        const last = parseOffPeriods(readOptional(home.files.offPeriods) ?? '').at(-1)
        return last?.toMs !== undefined
      })
      const periods = parseOffPeriods(readOptional(home.files.offPeriods) ?? '')
      const causes = periods.filter(
        ({ toMs, cause }) => toMs !== undefined && cause !== 'starting',
      )
      assert.deepEqual(
        causes.map(({ cause }) => cause),
        chosen.map(({ name }) => (name === faults.blocked.name ? 'no-answer' : 'ended')),
      )
    })

  it('reaches no LLM, and everything else, when steer.on_failure is closed_llm', async () => {
    await using home = await Household.open({ steer: { on_failure: 'closed_llm' } })
    // One that hangs must not be back before it was looked at.
    await home.supervise({ ...SOONER, YORI_KILL_AFTER: '20' })
    home.apply('nft-tproxy')
    const { directMs, errors } = await outage(home, 'inet', faults.killed)
    assert.equal(directMs, undefined, 'never the real server')
    assert.ok(errors.has('ECONNREFUSED'), [...errors].join())
    // What was loaded holds before it is told: a `closed` of before must not be taken for it.
    await home.until('it steers again', () => home.holds === 'both')
    process.kill(home.node, 'SIGSTOP')
    await home.until('the supervisor has closed', () => home.holds === 'closed')
    const [llm, elsewhere] = await home.dial([
      { host: PROVIDER.inet6, port: 443 },
      { host: '198.51.100.254', port: 443, udp: true },
    ])
    assert.equal(llm, 'ECONNREFUSED')
    assert.notEqual(elsewhere, 'timeout', 'an address that is no LLM host answers')
    home.remove()
    const [direct] = await home.ask([{ host: PROVIDER.inet, name: LLM }])
    assert.equal(direct?.issuer, 'Origin Test CA', 'removed: open again')
  })
})
