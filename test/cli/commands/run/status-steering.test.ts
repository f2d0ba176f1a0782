import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { Config } from '../../../../config/schema.js'
import { writeWish } from '../../../../pf/apply.js'
import { steeringFiles } from '../../../../pf/steering-files.js'
import { steeringSection } from '../../../../src/cli/status/status-steering.js'
import { tempFolder } from '../../../support/temp-folder.js'

describe('yori status, of steering', () => {
  it('is content with what is off as wished, not with what is wished and off', async () => {
    await using folder = await tempFolder()
    const state = folder.file('state')
    const files = steeringFiles(state)
    const nowMs = 1_700_000_600_000
    const read = () =>
      steeringSection.read({
        config: { state_dir: state } as Config,
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
      'not steered for 100 s in 1 days:',
      '2023-11-14T22:21:40.000Z to now: ended; LLM traffic went direct',
    ])
    assert.equal((facts as { offSeconds: number }).offSeconds, 100)
  })
})
