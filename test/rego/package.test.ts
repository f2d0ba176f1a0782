/**
 * `@yori/rego` as others get it: packed, unpacked in an empty folder beside `re2js` alone, and
 * used by the README's own lines, from ES modules, from CommonJS and from TypeScript.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageFile } from '../../src/core/package-root.js'
import { writeRegoPackage } from '../../tools/build/rego-package.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

function run(program: string, args: readonly string[], cwd: string): string {
  // Not the loader that these tests may run under.
  const env = { ...process.env, NODE_OPTIONS: '' }
  const done = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 120_000 })
  assert.equal(done.status, 0, `${program} ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

/** Code blocks of the README in one language. */
function blocks(language: string): string[] {
  const readme = readFileSync(packageFile('src', 'rego', 'README.md'), 'utf8')
  const found = readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))
  return [...found].map(([, code = '']) => code)
}

describe('The package @yori/rego', function () {
  this.timeout(180_000)
  let folder: TempFolder
  /** An empty project, and the package in it. */
  let app: string
  let installed: string

  before(async () => {
    folder = await tempFolder()
    const stage = folder.file('stage')
    mkdirSync(stage)
    for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE']) {
      cpSync(packageFile('src', 'rego', name), join(stage, name))
    }
    writeRegoPackage(join(stage, 'dist'))
    run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder.path], stage)
    const [tarball = ''] = readdirSync(folder.path).filter((name) =>
      name.endsWith('.tgz'),
    )
    run('tar', ['-xzf', tarball], folder.path)
    app = folder.file('app')
    installed = join(app, 'node_modules', '@yori', 'rego')
    mkdirSync(join(app, 'node_modules', '@yori'), { recursive: true })
    cpSync(folder.file('package'), installed, { recursive: true })
    symlinkSync(packageFile('node_modules', 're2js'), join(app, 'node_modules', 're2js'))
    symlinkSync(
      packageFile('node_modules', '@types'),
      join(app, 'node_modules', '@types'),
    )
  })

  after(() => folder[Symbol.asyncDispose]())

  const scripts = [
    ['an ES module', 0, 'home.mjs'],
    ['CommonJS', 1, 'home.cjs'],
  ] as const
  for (const [what, index, file] of scripts) {
    it(`evaluates a policy by the five lines of its README, as ${what}`, () => {
      const code = blocks('js')[index] ?? ''
      assert.equal(code.trim().split('\n').length, 5)
      writeFileSync(join(app, file), code)
      assert.equal(run(process.execPath, [file], app), "[ '22h is late' ]\n")
    })
  }

  it('gives both the same functions, today one copy of them', () => {
    const code = `
      import { createRequire } from 'node:module'
      import * as imported from '@yori/rego'
      const required = createRequire(import.meta.url)('@yori/rego')
      const names = ['compileModules', 'evaluate', 'fromJsonText', 'toJson']
      console.log(names.filter((name) => imported[name] !== required[name]).length)`
    writeFileSync(join(app, 'both.mjs'), code)
    assert.equal(run(process.execPath, ['both.mjs'], app), '0\n')
  })

  it('is CommonJS through and through where ES modules cannot be required', () => {
    const code = `
      const { compileModules, evaluate } = require('./node_modules/@yori/rego/dist/cjs/index.js')
      const text = 'package t\\nimport rego.v1\\np := regex.match("^a+$", input)'
      const { policy } = compileModules([{ name: 't.rego', text }])
      console.log(evaluate(policy, 'data.t.p', 'aaa').value)`
    writeFileSync(join(app, 'old.cjs'), code)
    assert.equal(run(process.execPath, ['old.cjs'], app), 'true\n')
  })

  it('brings what it names, and no more', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE', 'package.json']) {
      assert.ok(files.includes(name), name)
    }
    const kind = /(?:^(?:README|CHANGELOG)\.md|LICENSE|package\.json|\.js|\.d\.ts)$/
    const folders = ['dist', 'dist/builtins', 'dist/cjs', 'dist/cjs/builtins']
    assert.deepEqual(
      files.filter((name) => !kind.test(name) && !folders.includes(name)),
      [],
    )
  })

  it('imports re2js and Node, nothing of YORI', () => {
    const found = new Set<string>()
    for (const name of readdirSync(installed, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.js')) continue
      const code = readFileSync(join(installed, name), 'utf8')
      for (const [, from = ''] of code.matchAll(
        /(?: from |require\()['"]([^'"]+)['"]/g,
      )) {
        if (!from.startsWith('.')) found.add(from)
      }
    }
    assert.deepEqual([...found].sort(), ['node:crypto', 'node:net', 're2js'])
  })

  const consumer = `
    import { compileModules, evaluate, fromJsonText, toJson } from '@yori/rego'
    import type { Builtin, DocumentResult, Policy, Syntax, Value } from '@yori/rego'

    const compiled = compileModules([{ name: 't.rego', text: 'package t' }])
    // @ts-expect-error the policy is there when all modules are good, and only then
    void compiled.policy
    if (compiled.kind === 'ok') {
      const policy: Policy = compiled.policy
      const result: DocumentResult = evaluate(policy, 'data.t', fromJsonText('{}'))
      // @ts-expect-error a result may be undefined, or an error
      void result.value
      if (result.kind === 'value') {
        const value: Value = result.value
        const json: unknown = toJson(value)
        void json
      }
      const modules: readonly Syntax.Module[] = policy.modules
      void modules
    }
    export const one: Builtin = {
      name: 'one',
      arity: 0,
      args: [],
      result: { kind: 'number' },
      evaluate: () => 1,
    }
    // @ts-expect-error not exported: the evaluator's own
    export type { Meter } from '@yori/rego'
  `
  const { ModuleKind, ModuleResolutionKind } = ts
  const consumers = [
    ['NodeNext', 'esm.mts', ModuleKind.NodeNext, ModuleResolutionKind.NodeNext],
    [
      'NodeNext from CommonJS',
      'cjs.cts',
      ModuleKind.NodeNext,
      ModuleResolutionKind.NodeNext,
    ],
    ['Node16 from CommonJS', 'old.cts', ModuleKind.Node16, ModuleResolutionKind.Node16],
    ['bundler', 'bundled.ts', ModuleKind.ESNext, ModuleResolutionKind.Bundler],
  ] as const
  for (const [title, file, module, moduleResolution] of consumers) {
    it(`has types for moduleResolution ${title}`, () => {
      writeFileSync(join(app, file), consumer)
      const program = ts.createProgram([join(app, file)], {
        ...{ module, moduleResolution, target: ts.ScriptTarget.ES2022 },
        ...{ strict: true, noEmit: true, exactOptionalPropertyTypes: true },
        ...{ types: [], lib: ['lib.es2022.d.ts'] },
      })
      const said = ts.getPreEmitDiagnostics(program).map(({ file: at, messageText }) => {
        return `${at?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
      })
      assert.deepEqual(said, [])
    })
  }
})
