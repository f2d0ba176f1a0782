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
      `state_dir: ${state}\nsteer:\n  interfaces: lan0\nlisten: 0.0.0.0:8443\n` +
        'enforcement: { timezone: Europe/Berlin }\n',
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
    const before =
      '1 1700000400 - no-answer open\n2 1700000400 1700000412 no-answer open\n'
    writeFileSync(files.offPeriods, `${before}3 1700000500 - ended open\n`)
    const { level, lines, facts } = await read()
    assert.equal(level, 'bad')
    assert.deepEqual(lines, [
      'wished for, but no supervisor runs',
      ...lines.filter((line) => line.startsWith('IPv6 is not led here')),
      'not steered for 112 s in 1 days:',
      '2023-11-14 23:20 GMT+1 for 12 s: no-answer; LLM traffic went direct',
      '2023-11-14 23:21 GMT+1 to now: ended; LLM traffic went direct',
      ...lines.filter((line) => line.startsWith('->')),
    ])
    assert.match((facts as { unled: string }).unled, /add \[::\]:8443 to listen/)
    assert.equal((facts as { offSeconds: number }).offSeconds, 112)
  })
})
