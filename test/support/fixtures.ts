import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageFile } from '../../src/core/package-root.js'

/** A file under `test/fixtures`. */
export function fixtureFile(...parts: string[]): string {
  return packageFile('test', 'fixtures', ...parts)
}

export function fixtureText(...parts: string[]): string {
  return readFileSync(fixtureFile(...parts), 'utf8')
}

/** The rows of a JSON Lines fixture. */
export function fixtureRows<T>(...parts: string[]): T[] {
  return fixtureText(...parts)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/**
 * A file of recorded cases, or undefined when the folder that YORI_CASES names is not there.
 */
export function casesFile(...parts: string[]): string | undefined {
  const folder = process.env['YORI_CASES']
  if (folder === undefined || folder === '') return undefined
  const file = join(folder, ...parts)
  return existsSync(file) ? file : undefined
}

export async function countLines(file: string): Promise<number> {
  let lines = 0
  for await (const line of createInterface({ input: createReadStream(file) }))
    if (line !== '') lines++
  return lines
}
