// Usage: npm run agents [-- --no-install] [NAME...]
// Installs the programs of `test/agents/package.json` (1.6 GB, Node 24 among them, none of it
// in the product's lock file), runs each in a network namespace of its own, prints what came
// of it, and writes docs/AGENTS.md when all were asked for. Needs root, `unshare` and `nft`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../../src/core/package-root.js'
import { hostsFile, PREPARE } from './place.js'
import { AGENTS } from './programs.js'

const root = packageFile('test/agents')
const words = process.argv.slice(2)
const names = words.filter((word) => !word.startsWith('--'))

if (!words.includes('--no-install')) {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
  const { status } = spawnSync('npm', ['install', ...flags], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'yori-agents-hosts-'))
const hosts = join(folder, 'hosts')
writeFileSync(hosts, hostsFile(AGENTS))
const inside = fileURLToPath(new URL('inside.js', import.meta.url))
const command = ['sh', '-c', PREPARE, hosts, process.execPath, inside, root, ...names]
const { status } = spawnSync('unshare', ['--net', '--mount', '--', ...command], {
  stdio: 'inherit',
})
rmSync(folder, { recursive: true, force: true })
process.exitCode = status ?? 1
