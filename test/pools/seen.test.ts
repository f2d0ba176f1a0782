/** How pools are told: to collectors of metrics, to the API, and to people. */
import assert from 'node:assert/strict'
import { poolLines } from '../../src/cli/status/pool-lines.js'
import { poolShape } from '../../src/control/pool-shape.js'
import { poolFamilies } from '../../src/metrics/pool-families.js'
import { fails, makePool, ok } from './support.js'

describe('a pool, as it is told', () => {
  const { pool, ask, take, clock } = makePool(['10.0.0.4:8000', 'dead', 'busy'])
  ask(15, (lease) => (lease.id === 'dead' ? fails(lease) : ok(lease)))
  clock.advance(2_000)
  const busy = take({ without: new Set([0]) })
  busy?.rests(5_000)
  pool.counts.retries = 3

  const value = (name: string, labels: Record<string, string>): number | undefined =>
    poolFamilies([pool])
      .find((family) => family.name === name)
      ?.samples.find((sample) =>
        Object.entries(labels).every(([key, text]) =>
          sample.labels.some(([label, is]) => label === key && is === text),
        ),
      )?.value

  it('counts what became of requests at each target', () => {
    const of = { pool: 'made', target: 'dead' }
    assert.equal(value('yori_upstream_target_up', of), 0)
    assert.equal(
      value('yori_upstream_target_requests_total', { ...of, outcome: 'failed' }),
      5,
    )
    assert.equal(value('yori_upstream_ejections_total', of), 1)
    assert.equal(value('yori_upstream_target_active', { target: 'busy' }), 1)
    const well = { target: '10.0.0.4:8000', outcome: 'answered' }
    assert.equal(value('yori_upstream_target_requests_total', well), 5)
    assert.equal(value('yori_upstream_pool_retries_total', { pool: 'made' }), 3)
  })

  it('says to people who is left out, and for how long', () => {
    const told = poolLines(JSON.parse(JSON.stringify([poolShape(pool)])))
    assert.deepEqual(told, {
      isWhole: false,
      lines: [
        'pool made: 2 of 3 targets up, 0 requests',
        '  dead is left out for 28 s',
        '  busy asks to be left alone for 5 s',
      ],
    })
    assert.deepEqual(poolLines(undefined), { lines: [], isWhole: true })
  })

  it('says who is back, and with how much', () => {
    const made = makePool(['a', 'b', 'dead'])
    made.ask(15, (lease) => (lease.id === 'dead' ? fails(lease) : ok(lease)))
    made.clock.advance(30_000)
    const waiting = poolLines([poolShape(made.pool)])
    assert.equal(waiting.lines[1], '  dead is left out until it answers one request')
    made.ask(1, ok)
    made.clock.advance(15_000)
    const { lines, isWhole } = poolLines([poolShape(made.pool)])
    assert.equal(isWhole, true)
    assert.equal(lines[1], '  dead is back, with 50 % of its weight')
  })

  it('puts nothing on a terminal that would move it', () => {
    const { lines } = poolLines([{ name: 'a\u001b[2J', active: 1, targets: [] }])
    assert.ok(!lines.join('').includes('\u001b'))
  })
})
