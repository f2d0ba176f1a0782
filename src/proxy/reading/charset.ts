/**
 * Charsets that a media type names: bodies are read as UTF-8, UTF-16, UTF-32 or Latin-1, by
 * their bytes, as providers take them. Under any other name nobody knows what they say. Pure.
 */

const SAYS_CHARSET = /charset/i
const CHARSET = /;\s{0,8}charset\s{0,8}=\s{0,8}["']?([^\s;"',]{0,64})/gi
/** Read as they are, or by the bytes themselves. */
const KNOWN_CHARSET =
  /^(?:|utf-?8|(?:us-)?ascii|(?:utf|ucs)-?(?:16|32|2|4)(?:[lb]e)?|iso-?8859-1|latin-?1|windows-1252)$/i

/** All that a media type (RFC 9110 §8.3.1) says are; or it says none. */
export function isKnownCharset(contentType = ''): boolean {
  if (!SAYS_CHARSET.test(contentType)) return true
  for (const [, charset = ''] of contentType.matchAll(CHARSET))
    if (!KNOWN_CHARSET.test(charset)) return false
  return true
}
