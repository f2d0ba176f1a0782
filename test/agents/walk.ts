// Usage: npm run agents:walk [-- --no-install] [WORDS...]
// The doors "A laptop" and "A base URL" as a newcomer walks them: in an empty folder that a clone
// and its install have filled, by what the README says and nothing else, with programs as they
// come. Says how many commands and seconds it was from there to the first exchange that `yori
// audit list` shows. WORDS: only the walks whose name has one of them. Writes docs/WALKS.md when
// all were walked. Needs root, `unshare` and `ip`.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../../src/core/package-root.js'
import { hostsFile, PREPARE } from './place.js'
import { AGENTS } from './programs.js'

const words = process.argv.slice(2)
const root = packageFile('test/agents')
if (!words.includes('--no-install')) {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
  const { status } = spawnSync('npm', ['install', ...flags], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'yori-walk-'))
try {
  // What `git clone` and `npm ci` leave behind, which builds.
  const clone = join(folder, 'yori')
  execFileSync('git', ['clone', '-q', packageFile('.'), clone])
  execFileSync('cp', ['-a', packageFile('node_modules'), join(clone, 'node_modules')])
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: clone })
  const hosts = join(folder, 'hosts')
  writeFileSync(hosts, hostsFile(AGENTS))
  const inside = fileURLToPath(new URL('walk-inside.js', import.meta.url))
  const asked = words.filter((word) => !word.startsWith('--'))
  const command = ['sh', '-c', PREPARE, hosts, process.execPath, inside, clone]
  const { status } = spawnSync(
    'unshare',
    ['--net', '--mount', '--', ...command, root, ...asked],
    { stdio: 'inherit' },
  )
  process.exitCode = status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
