import { readFile } from 'node:fs/promises'
import { whyUnread } from '../../../config/why-unread.js'
import { YoriError } from '../../core/errors.js'

/** A file that the configuration names. YORI_CONFIG_INVALID when it cannot be read. */
export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new YoriError('YORI_CONFIG_INVALID', `${path} ${whyUnread(cause)}`, { cause })
  }
}
