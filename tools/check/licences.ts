// Usage: tsx tools/check/licences.ts   (or node dist/tools/check/licences.js)
// Every installed package's licence against the lists below; what ships is held to the
// shorter one. Reads package-lock.json and node_modules. Exit 1 when one does not fit.
import { existsSync, readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { isProgram, report } from './finding.js'
import type { Finding } from './finding.js'

const PRODUCTION: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Apache-2.0',
  'MIT-0', // MIT without the duty to name its author
])

const DEVELOPMENT: ReadonlySet<string> = new Set([
  ...PRODUCTION,
  'BlueOak-1.0.0',
  'CC0-1.0',
  'CC-BY-4.0',
  'Unlicense',
  'Python-2.0',
  'PSF-2.0',
])

/** Packages outside the lists that are used all the same, and why. */
const EXCEPTIONS: Readonly<Record<string, { licence: string; reason: string }>> = {
  'lru-cache': {
    licence: 'BlueOak-1.0.0',
    reason: 'permissive and OSI-approved; asks for no more than MIT does',
  },
  'cohere-ai': {
    licence: '',
    reason: 'its LICENSE file is the MIT text; development only, an oracle in tests',
  },
  'axe-core': {
    licence: 'MPL-2.0',
    reason:
      'development only: tests load it unchanged into a browser; nothing of it ships',
  },
  semaphore: {
    licence: '',
    reason: 'its README states MIT; development only, below http-mitm-proxy',
  },
}

export interface Package {
  readonly name: string
  readonly version: string
  /** An SPDX expression; empty when the package states none. */
  readonly licence: string
  readonly production: boolean
}

/** Findings for packages whose licence is neither listed nor excepted. */
export function checkLicences(packages: readonly Package[]): Finding[] {
  return packages.flatMap(({ name, version, licence, production }) => {
    if (EXCEPTIONS[name]?.licence === licence) return []
    if (permits(licence, production ? PRODUCTION : DEVELOPMENT)) return []
    const use = production ? 'ships with YORI' : 'is used in development'
    return [
      { where: `${name}@${version}`, what: `${use}, licence ${licence || 'not stated'}` },
    ]
  })
}

/**
 * Does an SPDX expression leave a choice that the list allows? `OR` needs one side, `AND`
 * both; `WITH` and anything else that is not understood is refused.
 */
export function permits(expression: string, allowed: ReadonlySet<string>): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const take = (word: string): boolean => tokens[at] === word && ++at > 0

  const either = (): boolean => {
    let result = both()
    while (take('OR')) result = both() || result
    return result
  }
  const both = (): boolean => {
    let result = one()
    while (take('AND')) result = one() && result
    return result
  }
  const one = (): boolean => {
    if (!take('(')) return allowed.has(tokens[at++] ?? '')
    const result = either()
    return take(')') && result
  }
  const result = either()
  return result && at === tokens.length
}

interface LockEntry {
  /** Stated where the path does not end in it: a workspace. */
  readonly name?: string
  readonly version?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly license?: string
  readonly link?: boolean
}

const MODULES = 'node_modules/'

/** What package-lock.json lists; the licence is what the installed package itself says. */
export function installedPackages(): Package[] {
  const lock = JSON.parse(readFileSync(packageFile('package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>
  }
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.link !== true)
    .map(([path, entry]) => ({
      name: entry.name ?? path.slice(path.lastIndexOf(MODULES) + MODULES.length),
      version: entry.version ?? '',
      licence: statedLicence(path) ?? entry.license ?? '',
      production: entry.dev !== true,
    }))
}

/** Undefined for optional packages of other platforms, which are not installed. */
function statedLicence(path: string): string | undefined {
  const file = packageFile(path, 'package.json')
  if (!existsSync(file)) return undefined
  const { license, licenses } = JSON.parse(readFileSync(file, 'utf8')) as {
    license?: string | { type: string }
    licenses?: readonly { type: string }[]
  }
  if (typeof license === 'string') return license
  if (license !== undefined) return license.type
  return licenses?.map((each) => each.type).join(' OR ')
}

if (isProgram(import.meta.url)) {
  const packages = installedPackages()
  report(`licences of ${packages.length} packages`, checkLicences(packages))
}
