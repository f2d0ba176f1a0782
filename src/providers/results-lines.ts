/** Which answers may be the results of a batch, a line each, by path and by line. Pure. */
import { withoutQuery } from './paths.js'
import type { ResponseContext } from './provider.js'

/** Ends of paths that give a file, or the results of a batch, as they are. */
const CONTENT = /(?:\/content|\/results|:download)$/

/** May this answer be results, a line each? What a file holds, only its lines tell. */
export function mayBeResults({
  api,
  path,
  status,
  contentType,
}: ResponseContext): boolean {
  if (status < 200 || status >= 300 || !CONTENT.test(withoutQuery(path))) return false
  return api === 'files' || (api === 'batches' && contentType?.includes('/json') !== true)
}

/** Lines of other files are not parsed: it says that it answers something. */
export function mayBeResult(line: string): boolean {
  return line.includes('"custom_id"') || line.includes('"usageMetadata"')
}
