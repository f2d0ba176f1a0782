import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { writeWish } from '../../../../pf/apply.js'
import { steeringFiles } from '../../../../pf/steering-files.js'
import { steeringSection } from '../../../../src/cli/status/status-steering.js'
import { configOf } from '../../../../src/cli/context.js'
import { tempFolder } from '../../../support/temp-folder.js'

describe('yori status, of steering', () => {
  it('is content with what is off as wished, not with what is wished and off', async () => {
    await using folder = await tempFolder()
    const state = folder.file('state')
    const file = folder.file('yori.conf')
    writeFileSync(
      file,
      `state_dir: ${state}\nsteer:\n  interfaces: lan0\nlisten: 0.0.0.0:8443\n`,
    )
    const files = steeringFiles(state)
    const nowMs = 1_700_000_600_000
    const config = configOf(file)
    const read = () =>
      steeringSection.read({
        config,
        clock: { now: () => nowMs, monotonic: () => 0 },
        days: 1,
      })
    assert.equal((await read()).level, 'good')
    writeWish(files, 'on')
    writeFileSync(files.offPeriods, '1 1700000500 - ended open\n')
    const { level, lines, facts } = await read()
    assert.equal(level, 'bad')
    assert.deepEqual(lines, [
      'wished for, but no supervisor runs',
      ...lines.filter((line) => line.startsWith('IPv6 is not led here')),
      'not steered for 100 s in 1 days:',
      '2023-11-14T22:21:40.000Z to now: ended; LLM traffic went direct',
    ])
    assert.match((facts as { unled: string }).unled, /add \[::\]:8443 to listen/)
    assert.equal(lines.length, 4)
    assert.equal((facts as { offSeconds: number }).offSeconds, 100)
  })
})
