/** What the checks of this folder share: findings, tracked files, and being run as a program. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { packageFile, packageRoot } from '../../src/core/package-root.js'

const MAX_FILE_BYTES = 4 * 1024 * 1024

export interface Finding {
  /** `file:line`, or a package's name. */
  readonly where: string
  readonly what: string
}

export interface TextFile {
  readonly path: string
  readonly text: string
}

/** Files that git tracks or would track; binary files and those over 4 MiB are left out. */
export function projectFiles(): TextFile[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: packageRoot, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  const files: TextFile[] = []
  for (const path of listed.split('\0').filter((name) => name !== '')) {
    const full = packageFile(path)
    const status = statSync(full, { throwIfNoEntry: false })
    if (status?.isFile() !== true || status.size > MAX_FILE_BYTES) continue
    const text = readFileSync(full, 'utf8')
    if (!text.includes('\0')) files.push({ path, text })
  }
  return files
}

/** Was this module started by `node FILE`, rather than imported? */
export function isProgram(moduleUrl: string): boolean {
  const started = process.argv[1]
  return started !== undefined && moduleUrl === pathToFileURL(started).href
}

/** Prints the findings and sets the exit code: 1 when there are any. */
export function report(checked: string, findings: readonly Finding[]): void {
  for (const { where, what } of findings) console.log(`${where}: ${what}`)
  console.log(`${checked}: ${findings.length} found`)
  if (findings.length > 0) process.exitCode = 1
}
