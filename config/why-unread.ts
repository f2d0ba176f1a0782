/** Why a file that a configuration names could not be read, in words. Pure. */

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read by this user',
  EISDIR: 'is a folder',
}

/** `cause`: what the read ended with; it goes behind the file's name. */
export function whyUnread(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const message = cause instanceof Error ? cause.message : String(cause)
  return MEANINGS[code] ?? `cannot be read: ${message}`
}
