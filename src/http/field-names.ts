/**
 * Names of fields in lower case, as they are compared. Messages have the same few names again
 * and again, mostly with capitals: of these the answer is kept, so that none is made anew for
 * each message. Pure. RFC 9110 §5.1.
 */

/** So many spellings are kept; of more, the first. */
export const MAX_NAMES = 512
/** Longer ones are not. */
const MAX_NAME = 64

const lowerOf = new Map<string, string>()

/** In lower case. */
export function inLowerCase(name: string): string {
  const known = lowerOf.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (name.length <= MAX_NAME && lowerOf.size < MAX_NAMES) lowerOf.set(name, lower)
  return lower
}

/** Others might fill the room before them. */
for (const name of [
  ...['Accept', 'Accept-Encoding', 'Accept-Language', 'Authorization', 'Cache-Control'],
  ...['Connection', 'Content-Encoding', 'Content-Length', 'Content-Type', 'Cookie'],
  ...[
    'Date',
    'Expect',
    'Host',
    'Keep-Alive',
    'Origin',
    'Referer',
    'Server',
    'Set-Cookie',
  ],
  ...['Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'TE', 'Trailer'],
  ...['Transfer-Encoding', 'Upgrade', 'User-Agent', 'Vary', 'X-Request-Id'],
]) {
  inLowerCase(name)
  inLowerCase(name.toLowerCase())
}
