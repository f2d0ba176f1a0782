/**
 * The package, as it would be installed, in a place that every user of this machine may enter:
 * the folder that the tests run in is its owner's, and may be nobody else's.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'

/** What its sources were compiled from, and what else only a compiler needs. */
const NEEDLESS = join('node_modules', 'better-sqlite3', sep)
const NEEDED_OF_IT =
  /^(?:lib|package\.json|build(?:\/Release(?:\/better_sqlite3\.node)?)?$)/

let copy: string | undefined

/** Where temporary folders are made that another user is to enter. */
export function openTemp(): string {
  const place = [tmpdir(), '/tmp', '/var/tmp'].find(isOpen)
  if (place === undefined) throw new Error('no temporary folder is open to all users')
  return place
}

/** May everybody enter it, and all folders above it? */
function isOpen(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (!existsSync(at) || (statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** Its root, made once a process and gone with it. Read it, and change nothing. */
export function openPackage(): string {
  if (copy !== undefined) return copy
  const root = mkdtempSync(join(openTemp(), 'yori-package-'))
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  const { files } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    files: string[]
  }
  // In a checkout @yori/rego is compiled beside all else, and dist/ links it.
  const own = files.filter((path) => !path.startsWith('!'))
  const paths = ['package.json', ...own, 'dist/node_modules', ...installedPackages()]
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    const how = { recursive: true, filter: isNeeded, verbatimSymlinks: true }
    cpSync(packageFile(path), join(root, path), how)
  }
  chmodSync(root, 0o755)
  execFileSync('chmod', ['-R', 'a+rX', root])
  copy = root
  return root
}

/** The command line of that copy. */
export function openMain(): string {
  return join(openPackage(), 'dist', 'src', 'cli', 'main.js')
}

/** Those of package-lock.json that run in production and are there. */
function installedPackages(): string[] {
  const { packages } = JSON.parse(
    readFileSync(packageFile('package-lock.json'), 'utf8'),
  ) as { packages: Record<string, { dev?: boolean }> }
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path]) => path)
    .filter((path) => existsSync(packageFile(path)))
}

function isNeeded(path: string): boolean {
  const at = path.indexOf(NEEDLESS)
  return (
    at < 0 || NEEDED_OF_IT.test(path.slice(at + NEEDLESS.length).replaceAll(sep, '/'))
  )
}
