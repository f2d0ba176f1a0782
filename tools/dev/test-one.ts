// Usage: npm run test:one -- FILE... [mocha's own flags]
// Runs single test files from source, without a build; what a build generates is made when it
// is missing or old. Tests that start `dist/` as a program need `npm run build` before.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { packageFile, packageRoot } from '../../src/core/package-root.js'

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('usage: npm run test:one -- test/tls/alpn.test.ts')
  process.exit(2)
}

const generated = packageFile('config', 'validate-config.js')
const newest = readdirSync(packageFile('config'))
  .filter((name) => /^(schema|from-schema|defaults).*\.ts$/.test(name))
  .map((name) => statSync(packageFile('config', name)).mtimeMs)
  .reduce((a, b) => Math.max(a, b), 0)
if (!existsSync(generated) || statSync(generated).mtimeMs < newest) {
  const { compileSchema } = await import('../build/compile-schema.js')
  writeFileSync(generated, compileSchema())
}

const mocha = packageFile('node_modules', 'mocha', 'bin', 'mocha.js')
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', mocha, '--reporter', 'spec', ...files],
  { cwd: packageRoot, stdio: 'inherit' },
)
process.exitCode = status ?? 1
