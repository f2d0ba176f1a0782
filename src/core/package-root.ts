import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder that holds package.json: the same from source, from `dist/` and when installed.
 * Data files (examples, policies, catalogue, pages) are found from here and nowhere else.
 */
export const packageRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)))

export function packageFile(...parts: string[]): string {
  return join(packageRoot, ...parts)
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) throw new Error(`no package.json above ${start}`)
  }
}
