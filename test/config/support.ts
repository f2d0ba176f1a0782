// Helpers of the configuration's tests: files that go away, and short ways to load.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../config/load.js'
import type { LoadedConfig, LoadOptions } from '../../config/load.js'
import { formatProblem } from '../../config/problem.js'
import type { Problem } from '../../config/problem.js'

export interface Folder extends Disposable {
  readonly path: string
  /** Writes a file into the folder and returns its path. */
  write(name: string, text: string | Uint8Array): string
}

export function tempFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'yori-config-'))
  return {
    path,
    write(name, text) {
      const file = join(path, name)
      writeFileSync(file, text)
      return file
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

type Rest = Partial<Omit<LoadOptions, 'path'>>

/** Loads a file of this text; the file is gone afterwards. */
export function loadText(text: string | Uint8Array, rest: Rest = {}): LoadedConfig {
  using folder = tempFolder()
  const path = folder.write('yori.conf', text)
  return loadConfig({ env: {}, cwd: folder.path, ...rest, path })
}

export type Ok = LoadedConfig & { kind: 'ok' }

export function accepted(loaded: LoadedConfig): Ok {
  if (loaded.kind === 'ok') return loaded
  throw new Error(loaded.problems.map(formatProblem).join('\n'))
}

export function problemsOf(loaded: LoadedConfig): readonly Problem[] {
  return loaded.kind === 'invalid' ? loaded.problems : []
}
