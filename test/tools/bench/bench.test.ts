/** The bench itself, as short as it goes, on the direct connection alone. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'
import { runProgram } from '../../support/programs.js'
import { tempFolder } from '../../support/temp-folder.js'

const bench = packageFile('dist/tools/bench/main.js')

describe('npm run bench', () => {
  it('proves, times and tabulates one bench of one peer', async () => {
    await using folder = await tempFolder()
    const json = folder.file('out.json')
    const args = ['--minutes', '0', '--only', 'tunnel,events', '--peers', 'direct']
    const ran = await runProgram(process.execPath, [bench, ...args, '--json', json])
    const text = ran.stdout.toString()
    assert.equal(ran.status, 0, text + ran.stderr)
    assert.match(text, /\| direct \| \d+ \| - \|/)
    const { results } = JSON.parse(readFileSync(json, 'utf8')) as {
      results: { events: { direct: { errors: number; p50: number } } }
    }
    assert.equal(results.events.direct.errors, 0)
    assert.ok(results.events.direct.p50 > 0)
  })

  it('refuses a bench that it does not have', async () => {
    const ran = await runProgram(process.execPath, [bench, '--only', 'nonsense'])
    assert.equal(ran.status, 1)
    assert.match(ran.stderr, /nonsense is none of memory, rate/)
  })
})
