// Usage: npm run coverage   (node dist/tools/check/coverage.js)
// All tests under c8 (settings in package.json). Left out of the count is what no test can
// reach: modules that compile to nothing since they hold types only, and the validator that
// the build generates from the configuration schema.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile, packageRoot } from '../../src/core/package-root.js'
import { coverageGaps } from './coverage-gaps.js'
import { isProgram } from './finding.js'

const GENERATED = 'dist/config/validate-config.js'
const GAPS_SHOWN = 12
const COUNTED = ['src', 'ca', 'config', 'pf']

/** Is this compiled module empty but for `export {}` and comments? */
export function holdsTypesOnly(javascript: string): boolean {
  const code = javascript.replace(/\/\*[^]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return /^\s*(?:export\s*\{\s*\};?\s*)?$/.test(code)
}

function typeModules(): string[] {
  return readdirSync(packageFile('dist'), { recursive: true, encoding: 'utf8' })
    .filter((path) => COUNTED.includes(path.split('/')[0] ?? '') && path.endsWith('.js'))
    .filter((path) => holdsTypesOnly(readFileSync(packageFile('dist', path), 'utf8')))
    .map((path) => join('dist', path))
}

if (isProgram(import.meta.url)) {
  const left = [GENERATED, ...typeModules()].flatMap((path) => ['--exclude', path])
  const mocha = packageFile('node_modules', 'mocha', 'bin', 'mocha.js')
  const run = spawnSync(
    process.execPath,
    [
      packageFile('node_modules', 'c8', 'bin', 'c8.js'),
      ...left,
      ...[process.execPath, mocha, 'dist/test/**/*.test.js'],
    ],
    { cwd: packageRoot, stdio: 'inherit' },
  )
  const report = packageFile('coverage', 'lcov.info')
  if (existsSync(report)) {
    console.log('Most lines that no test reached:')
    const gaps = coverageGaps(readFileSync(report, 'utf8')).slice(0, GAPS_SHOWN)
    for (const { file, missing, lines } of gaps) {
      console.log(`${String(missing).padStart(6)} of ${lines}  ${file}`)
    }
  }
  process.exitCode = run.status ?? 1
}
