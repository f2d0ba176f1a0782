import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { packageFile } from '../../src/core/package-root.js'
import { tempFolder } from './support.js'

/** The CommonJS modules that a fresh process holds after it has loaded this configuration. */
function modulesAfterLoad(options: object): readonly string[] {
  const load = pathToFileURL(packageFile('dist', 'config', 'load.js')).href
  const program = `
    import { createRequire } from 'node:module'
    import { loadConfig } from ${JSON.stringify(load)}
    const loaded = loadConfig(${JSON.stringify(options)})
    const modules = Object.keys(createRequire(import.meta.url).cache)
    console.log(JSON.stringify({ kind: loaded.kind, modules }))`
  const args = ['--input-type=module', '--eval', program]
  const out = execFileSync(process.execPath, args, { encoding: 'utf8' })
  const { kind, modules } = JSON.parse(out) as { kind: string; modules: string[] }
  assert.equal(kind, 'ok')
  return modules
}

describe('the compiled validator', () => {
  it('runs without the schema compiler', () => {
    using folder = tempFolder()
    const path = folder.write('yori.conf', 'mode: observe\n')
    const modules = modulesAfterLoad({ path, env: {}, cwd: '/' })
    // The list is real: it shows the parser, and the one helper that the validator calls.
    assert.ok(modules.some((module) => module.includes('/yaml/')))
    assert.ok(
      modules.some((module) => module.endsWith('/ajv/dist/runtime/ucs2length.js')),
    )
    assert.deepEqual(
      modules.filter((module) => /\/ajv\/dist\/(?!runtime\/)/.test(module)),
      [],
    )
  })

  it('does not load the YAML parser when there is no file', () => {
    const modules = modulesAfterLoad({ env: {}, cwd: '/', searched: [] })
    assert.deepEqual(
      modules.filter((module) => module.includes('/yaml/')),
      [],
    )
  })
})
