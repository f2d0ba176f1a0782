/**
 * The methods that are taken: of IANA's registry those that servers of this kind know (PRI is
 * HTTP/2's), and what UPnP uses. Case matters, RFC 9110 §9.1.
 */
export const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'],
  ...['ACL', 'BIND', 'CHECKOUT', 'COPY', 'LINK', 'LOCK', 'MERGE', 'MKACTIVITY'],
  ...['MKCALENDAR', 'MKCOL', 'MOVE', 'PROPFIND', 'PROPPATCH', 'PURGE', 'QUERY'],
  ...['REBIND', 'REPORT', 'SEARCH', 'UNBIND', 'UNLINK', 'UNLOCK'],
  ...['M-SEARCH', 'NOTIFY', 'SUBSCRIBE', 'UNSUBSCRIBE', 'SOURCE'],
])
