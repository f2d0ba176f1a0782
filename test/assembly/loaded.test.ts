import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { packageFile } from '../../src/core/package-root.js'

/** The modules that a fresh process has loaded once it has imported these of the build. */
function loadedWith(...paths: readonly string[][]): readonly string[] {
  const urls = paths.map(
    (path) => pathToFileURL(packageFile('dist', 'src', ...path)).href,
  )
  // In a thread of its own Node asks the hooks, and their words come by a port.
  const hooks = `
    let port
    export function initialize(data) { port = data.port }
    export async function load(url, context, next) {
      port.postMessage(url)
      return next(url, context)
    }`
  const program = `
    import { register } from 'node:module'
    import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
    const { port1, port2 } = new MessageChannel()
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}), {
      data: { port: port2 },
      transferList: [port2],
    })
    for (const url of ${JSON.stringify(urls)}) await import(url)
    const loaded = []
    for (let one = receiveMessageOnPort(port1); one; one = receiveMessageOnPort(port1))
      loaded.push(one.message)
    console.log(JSON.stringify(loaded))
    process.exit(0)`
  const args = ['--input-type=module', '--eval', program]
  const out = execFileSync(process.execPath, args, { encoding: 'utf8' })
  return JSON.parse(out) as string[]
}

describe('what a start loads', () => {
  it('is not the language of policies, before there is one', () => {
    const loaded = loadedWith(
      ['assembly', 'appliance.js'],
      ['fleet', 'fleet.js'],
      ['cli', 'commands', 'run', 'run-command.js'],
    )
    // The list is real: it shows who would read policies.
    assert.ok(loaded.some((url) => url.endsWith('/from-config/policy-set.js')))
    assert.deepEqual(
      loaded.filter((url) => /\/rego\/|\/re2js\//.test(url)),
      [],
    )
  })
})
