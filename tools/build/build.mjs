// Usage: npm run build [-- --force] [-- --quick]
// Compiles everything into dist/. When nothing has changed it says so and ends, within a second.
// Else it builds beside and renames, so that no running command loses its files; two builds at
// once wait for one another. TypeScript 7 compiles (five times quicker); where its binary is
// not to be had, TypeScript 5 does. With --quick esbuild strips the types unchecked, for tests.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { openSync, closeSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const dist = join(root, 'dist')
const quick = process.argv.includes('--quick')
const STAMP = 'build-stamp'
const LOCK = join(root, '.build-lock')
const LOCK_WAIT_MS = 10 * 60_000
const SOURCES = ['src', 'ca', 'pf', 'config', 'test', 'tools']
/** What browsers run: bundled, see dashboard-assets.ts. */
const BROWSER = 'src/dashboard/pages/'
const OTHERS = ['tsconfig.json', 'package.json', 'package-lock.json']

/** Names, sizes and times of all that is compiled: a new one of these is a new build. */
function stampOfSources() {
  const hash = createHash('sha256').update(process.version)
  const add = (path) => {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  walkSources(add)
  for (const file of OTHERS) if (existsSync(join(root, file))) add(file)
  return hash.digest('hex')
}

function walkSources(use) {
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`
      if (['node_modules', 'fixtures', 'dist'].includes(entry.name)) continue
      if (entry.isDirectory()) walk(path)
      else if (/\.(c?ts|mjs|yaml|css|svg)$/.test(entry.name)) use(path)
    }
  }
  for (const folder of SOURCES) walk(folder)
}

function isFresh(stamp) {
  try {
    const found = readFileSync(join(dist, STAMP), 'utf8')
    return found === stamp || (quick && found === `quick ${stamp}`)
  } catch {
    return false
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Its process; 0 before that is written, undefined when the lock has just been given back. */
function lockHolder() {
  try {
    return Number(readFileSync(LOCK, 'utf8').trim() || '0')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Runs `work` while no other build does; gives up, and says so, after ten minutes. */
function alone(work) {
  const until = Date.now() + LOCK_WAIT_MS
  for (;;) {
    try {
      const lock = openSync(LOCK, 'wx')
      writeSync(lock, `${process.pid}`)
      closeSync(lock)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const holder = lockHolder()
      if (holder === undefined) continue
      if (holder > 0 && !isAlive(holder)) {
        rmSync(LOCK, { force: true })
        continue
      }
      if (Date.now() > until)
        throw new Error(`another build (${holder}) holds ${LOCK}; remove it if none runs`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    return work()
  } finally {
    rmSync(LOCK, { force: true })
  }
}

function run(args) {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
  })
  if (error !== undefined) throw error
  return status === 0
}

/** The compiler of this machine: TypeScript 7 where its binary starts. */
function compiler() {
  const quick = join(root, 'node_modules', 'typescript7', 'bin', 'tsc')
  if (existsSync(quick)) {
    const { status } = spawnSync(process.execPath, [quick, '--version'], {
      stdio: 'ignore',
    })
    if (status === 0) return quick
  }
  return join(root, 'node_modules', 'typescript', 'bin', 'tsc')
}

/** Every module by itself, in two CPU seconds; says nothing about types. */
function stripTypes(outdir) {
  const { buildSync } = createRequire(import.meta.url)('esbuild')
  const compile = (ending, as) => {
    const entryPoints = []
    walkSources((path) => {
      if (path.startsWith(BROWSER)) return
      if (path.endsWith(ending) && !path.endsWith('.d.ts')) entryPoints.push(path)
    })
    const { errors } = buildSync({
      ...{ entryPoints, outdir, outbase: '.', absWorkingDir: root, logLevel: 'error' },
      ...{ platform: 'node', target: 'es2022', sourcemap: true, ...as },
    })
    return errors.length === 0
  }
  const isModule = compile('.ts', { format: 'esm' })
  return isModule && compile('.cts', { format: 'cjs', outExtension: { '.js': '.cjs' } })
}

function build(stamp) {
  const next = join(root, `dist.next-${process.pid}`)
  const old = join(root, `dist.old-${process.pid}`)
  try {
    const compiled =
      (quick
        ? stripTypes(next)
        : run([compiler(), '-p', '.', '--outDir', next, '--incremental', 'false'])) &&
      run([join(next, 'tools', 'build', 'after-tsc.js'), next])
    if (!compiled) return false
    writeFileSync(join(next, STAMP), quick ? `quick ${stamp}` : stamp)
    if (existsSync(dist)) renameSync(dist, old)
    renameSync(next, dist)
    return true
  } finally {
    rmSync(next, { recursive: true, force: true })
    rmSync(old, { recursive: true, force: true })
  }
}

const built = alone(() => {
  const stamp = stampOfSources()
  if (!process.argv.includes('--force') && isFresh(stamp)) return true
  return build(stamp)
})
process.exitCode = built ? 0 : 1
