// Usage: npm run test:one -- FILE... [mocha's own flags]
// Runs single test files (test/a/b.test.ts) after a quick build that checks no types; nothing
// is built when nothing has changed.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const args = process.argv.slice(2)
if (!args.some((arg) => arg.startsWith('test/'))) {
  console.error('usage: npm run test:one -- test/tls/alpn.test.ts')
  process.exit(2)
}

function node(...argv) {
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

const compiled = args.map((arg) => arg.replace(/^(test\/.*)\.ts$/, 'dist/$1.js'))
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')
node(join(root, 'tools', 'build', 'build.mjs'), '--quick')
node(mocha, '--reporter', 'spec', ...compiled)
