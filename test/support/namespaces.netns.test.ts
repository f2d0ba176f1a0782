import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { NAMESPACES, needs } from './needs.js'

const HELPER = fileURLToPath(new URL('./namespaces.js', import.meta.url))

/** A run of its own that makes one machine, prints what there are of it, and does this. */
function run(then: string): string[] {
  const script = `
    import { execFileSync } from 'node:child_process'
    const { Namespaces } = await import(${JSON.stringify(HELPER)})
    const machines = new Namespaces(['lost'])
    process.stdout.write(execFileSync('ip', ['netns', 'list']))
    ${then}`
  const words = ['--input-type=module', '--eval', script]
  const { stdout, stderr, status } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
  })
  assert.notEqual(status, 1, stderr)
  return [...stdout.matchAll(/^yori-\S+-lost/gm)].map(([name]) => name)
}

describe('network namespaces of a run that was killed', () => {
  before(function () {
    needs(this, ...NAMESPACES)
  })

  it('are taken away by the next one', () => {
    const [left] = run(`process.kill(process.pid, 'SIGKILL')`)
    assert.ok(left !== undefined)
    const names = run('await machines[Symbol.asyncDispose]()')
    assert.ok(names.length > 0 && !names.includes(left), `${left} in ${names.join()}`)
  })
})
