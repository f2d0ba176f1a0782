/** Paths that are ours on every intercepted host: never forwarded to a provider. */
export const RESERVED_PREFIX = '/.well-known/yori/'
/** Answered 200 to this machine itself: shows that TLS is ended here and HTTP served. */
export const ALIVE_PATH = `${RESERVED_PREFIX}alive`
/** Where the button of a block page asks the household. */
export const ASK_PATH = `${RESERVED_PREFIX}ask`
/** What others of the house call us (RFC 8375). */
export const HOME_NAME = 'yori.home.arpa'
