import assert from 'node:assert/strict'
import { packageFile } from '../../src/core/package-root.js'
import { runProgram } from '../support/programs.js'

describe('npm run demo', () => {
  it('shows every step at work and says so by its exit code', async () => {
    const demo = packageFile('dist/tools/demo/main.js')
    const ran = await runProgram(process.execPath, [demo])
    const text = ran.stdout.toString()
    assert.equal(ran.status, 0, text)
    assert.match(text, /All 7 steps seen to work/)
    assert.match(text, /Simulator Root, the origin's own/)
  })
})
