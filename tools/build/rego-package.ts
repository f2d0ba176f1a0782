// Usage: tsx tools/build/rego-package.ts [FOLDER]
// What `npm pack` of src/rego needs beside its sources: FOLDER (by default src/rego/dist) with
// ES modules, the same as CommonJS in cjs/, and the types of both. `npm pack` calls it first, in
// src/rego and in YORI itself, which brings the package along.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { packageFile } from '../../src/core/package-root.js'
import { isProgram } from '../check/finding.js'

/** Writes the compiled package into a folder, which is emptied first. Throws when it cannot. */
export function writeRegoPackage(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      packageFile('node_modules', 'typescript7', 'bin', 'tsc'),
      ...['-p', packageFile('src', 'rego'), '--outDir', folder],
    ],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`src/rego does not compile: ${stdout}`)
  writeCommonJs(folder)
}

/** Of each ES module in the folder the same in cjs/, with its types. */
function writeCommonJs(folder: string): void {
  const cjs = join(folder, 'cjs')
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const from = join(folder, path)
    const to = join(cjs, path)
    if (path.endsWith('.d.ts')) cpSync(from, to)
    if (!path.endsWith('.js')) continue
    const { outputText } = ts.transpileModule(readFileSync(from, 'utf8'), {
      fileName: from,
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    })
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, outputText)
  }
  writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n')
}

if (isProgram(import.meta.url)) {
  writeRegoPackage(process.argv[2] ?? packageFile('src', 'rego', 'dist'))
}
