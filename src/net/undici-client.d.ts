/**
 * The one class of undici that is needed, loaded by its path: the package's index brings fetch,
 * WebSocket and a cache along, 8 MB of memory that a router does not have. The version is pinned.
 */
declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici'
}
