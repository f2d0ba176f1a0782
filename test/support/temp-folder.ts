import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder extends AsyncDisposable {
  readonly path: string
  file(...parts: string[]): string
}

/** A private folder (0700) that goes with its scope. */
export async function tempFolder(
  prefix = 'yori-',
  within = tmpdir(),
): Promise<TempFolder> {
  const path = await mkdtemp(join(within, prefix))
  return {
    path,
    file: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () =>
      rm(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}
