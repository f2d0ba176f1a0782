/**
 * What an installed YORI consists of: the files that package.json names, and of the packages that
 * it runs on those that run, without what only builds them. Copies; decides nothing else.
 */
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'
import { writeRegoPackage } from '../build/rego-package.js'

interface Described {
  readonly name: string
  readonly version: string
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Fetch or build a package where it is installed; nothing loads them afterwards. */
const BUILDS_ONLY: ReadonlySet<string> = new Set(['prebuild-install'])
/** What better-sqlite3 is compiled from, 10 MB, and what compiling it leaves but its one binary. */
const SOURCES =
  /\/better-sqlite3\/(?:deps|src|build\/(?!Release$)[^/]+$|build\/Release\/(?!better_sqlite3\.node$))/

export interface TreeOptions {
  /** Packages that stay out, with what only they need. */
  readonly without?: ReadonlySet<string>
  /** Paths of files that stay out. */
  readonly leave?: RegExp
  /** The Rego package as the build has it, for YORI alone: not compiled anew for everybody. */
  readonly asBuilt?: boolean
}

const describedAt = (folder: string): Described =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Described

/** YORI's own description. */
export const yoriDescribed = (): Described => describedAt(packageFile())

/**
 * Everything into `folder`, which is made; compiled code is taken from dist/ as it is there.
 * @throws when a package that YORI needs is not installed here
 */
export function writeTree(
  folder: string,
  { without = new Set(), leave, asBuilt = false }: TreeOptions = {},
): void {
  mkdirSync(folder, { recursive: true })
  const own = yoriDescribed()
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'docs'])
    cpSync(packageFile(name), join(folder, name), { recursive: true })
  const left = (own.files ?? []).filter((name) => name.startsWith('!'))
  const excepted = new Set(left.map((name) => packageFile(name.slice(1))))
  const stays = (from: string): boolean => leave?.test(from) === true
  for (const name of own.files ?? [])
    if (!name.startsWith('!'))
      cpSync(packageFile(name), join(folder, name), {
        recursive: true,
        filter: (from) => !excepted.has(from) && !stays(from),
      })
  for (const name of packagesOf(own, without))
    cpSync(packageFile('node_modules', name), join(folder, 'node_modules', name), {
      recursive: true,
      filter: (from) => !SOURCES.test(from) && !stays(from),
    })
  const rego = join(folder, 'node_modules', '@yori', 'rego')
  writeRego(rego, (dist) => {
    if (!asBuilt) writeRegoPackage(dist)
    else
      cpSync(packageFile('dist', 'src', 'rego'), dist, {
        recursive: true,
        filter: (from) => !stays(from),
      })
  })
}

/** The workspace package, compiled; what it runs on stands beside it. */
function writeRego(folder: string, compile: (dist: string) => void): void {
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'README.md', 'LICENSE'])
    cpSync(packageFile('src', 'rego', name), join(folder, name))
  compile(join(folder, 'dist'))
}

/** Whatever is loaded while YORI runs, by name; what is optional only where it is installed. */
function packagesOf(own: Described, without: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (names: readonly string[], needed: boolean): void => {
    for (const name of names) {
      if (found.has(name) || BUILDS_ONLY.has(name) || without.has(name)) continue
      const folder =
        name === '@yori/rego'
          ? packageFile('src', 'rego')
          : packageFile('node_modules', name)
      if (!existsSync(folder)) {
        if (needed) throw new Error(`${name} is not installed here: run npm ci`)
        continue
      }
      if (name !== '@yori/rego') found.add(name)
      const described = describedAt(folder)
      visit(Object.keys(described.dependencies ?? {}), needed)
      visit(Object.keys(described.optionalDependencies ?? {}), false)
    }
  }
  visit(Object.keys(own.dependencies ?? {}), true)
  visit(Object.keys(own.optionalDependencies ?? {}), false)
  return found
}
