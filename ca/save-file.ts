/** Files that the CA gives out: certificates, bundles, profiles. */
import { open, rename, stat, unlink } from 'node:fs/promises'
import { YoriError } from '../src/core/errors.js'

/** Writes a file whole, synced, or not at all. YORI_CA_UNUSABLE when it is there already. */
export async function saveFile(
  path: string,
  content: string | Uint8Array,
  { overwrite, mode = 0o644 }: { overwrite: boolean; mode?: number },
): Promise<void> {
  try {
    if (!overwrite && (await stat(path).catch(() => undefined)) !== undefined)
      throw Object.assign(new Error(), { code: 'EEXIST' })
    const draft = `${path}.${process.pid}.tmp`
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.sync()
      await rename(draft, path)
    } catch (error) {
      await unlink(draft)
      throw error
    } finally {
      await file.close()
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why =
      code === 'EEXIST'
        ? 'it is there already; --force overwrites it'
        : (code ?? 'failed')
    throw new YoriError('YORI_CA_UNUSABLE', `cannot write ${path}: ${why}`, { cause })
  }
}
