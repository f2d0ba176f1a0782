import assert from 'node:assert/strict'
import { runFiles } from '../../../tools/cases/run.js'
import { wafCases } from '../../../tools/cases/waf.js'
import { countLines, fixtureFile } from '../../support/fixtures.js'
import { FIREWALL, needs, recordedCases } from '../../support/needs.js'

async function play(file: string) {
  const said: string[] = []
  const tally = await runFiles(wafCases, [file], (line) => said.push(line))
  return { tally, said: said.join('\n') }
}

describe('requests that rules of the firewall are about', () => {
  before(function () {
    needs(this, ...FIREWALL)
  })

  it('get through YORI the verdict that the engine gives when asked directly', async () => {
    const file = fixtureFile('waf', 'rows.jsonl')
    const rows = await countLines(file)
    const { tally, said } = await play(file)
    assert.deepEqual(tally, { right: rows, wrong: 0, skipped: 0 }, said)
    assert.match(said, new RegExp(`^all +${rows} of ${rows} `, 'm'))
  })

  it("do so in the rule set's own regression tests", async function () {
    const file = recordedCases(this, 'waf', 'crs-regression.jsonl')
    const { tally, said } = await play(file)
    assert.equal(tally.wrong, 0, said)
    // One is no HTTP, and one is of a form that is not played.
    assert.ok(tally.skipped <= 2, said)
    assert.ok(tally.right > 400, said)
  })
})
