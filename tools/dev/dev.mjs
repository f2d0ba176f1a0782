// Usage: npm run dev [-- flags of `yori run`]
// Runs YORI from ./var and starts it anew when a source changes: a quick build without types,
// then SIGTERM, then the next one. A build that fails leaves the running one as it is.
import { spawn, spawnSync } from 'node:child_process'
import { watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const FOLDERS = ['src', 'ca', 'pf', 'config']
const SETTLE_MS = 300

let child
let timer
let ending = false

function build() {
  const script = join(root, 'tools', 'build', 'build.mjs')
  return (
    spawnSync(process.execPath, [script, '--quick'], { stdio: 'inherit' }).status === 0
  )
}

function start() {
  const main = join(root, 'dist', 'src', 'cli', 'main.js')
  const args = [main, 'run', '--state-dir', './var', ...process.argv.slice(2)]
  child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
  child.once('exit', (code) => {
    child = undefined
    if (ending) process.exit(code ?? 0)
    else console.error('dev: it ended; the next change starts it again')
  })
}

async function restart() {
  if (!build()) {
    console.error('dev: the build failed; the running one goes on')
    return
  }
  const old = child
  if (old !== undefined) {
    old.removeAllListeners('exit')
    const ended = new Promise((resolve) => old.once('exit', resolve))
    old.kill('SIGTERM')
    await ended
  }
  start()
}

for (const folder of FOLDERS)
  watch(join(root, folder), { recursive: true }, (_event, name) => {
    if (name === null || !/\.(ts|rego|yaml)$/.test(name)) return
    clearTimeout(timer)
    timer = setTimeout(() => void restart(), SETTLE_MS)
  })

for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    ending = true
    if (child === undefined) process.exit(0)
    child.kill(signal)
  })

if (build()) start()
