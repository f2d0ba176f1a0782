/** What belongs to the trust page. What is behind these is loaded when it is first asked for. */

const PAGES: ReadonlySet<string> = new Set([
  '/',
  '/trust',
  '/trust/again',
  '/trust/result',
])
/** The certificate in its forms; the root in force or the staged one. */
export const ROOT_FILE = /^\/yori-(root|next-root)\.(cer|pem|mobileconfig)$/

export function isTrustPath(path: string): boolean {
  return PAGES.has(path) || ROOT_FILE.test(path)
}
