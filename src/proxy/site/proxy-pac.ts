/**
 * A proxy configuration: what is intercepted goes through us, everything else directly. Names
 * go in as JSON, so that none can end the string that it stands in. Pure.
 * https://developer.mozilla.org/docs/Web/HTTP/Guides/Proxy_servers_and_tunneling/Proxy_Auto-Configuration_PAC_file
 */
import type { Endpoint } from '../../policy/endpoints.js'

export function proxyPac(
  endpoints: readonly Endpoint[],
  /** `host:port` of ours; when it does not answer, clients go on directly. */
  authority: string,
): string {
  const on = endpoints.filter(({ enabled, route }) => enabled && route !== 'tunnel')
  const exact = on.filter(({ domain }) => !domain.startsWith('*.'))
  const below = on.filter(({ domain }) => domain.startsWith('*.'))
  return `// Written by YORI.
var EXACT = ${listed(exact.map(({ domain }) => domain))};
var BELOW = ${listed(below.map(({ domain }) => domain.slice(1)))};
function FindProxyForURL(url, host) {
  host = host.toLowerCase().replace(/\\.$/, '');
  for (var i = 0; i < EXACT.length; i++)
    if (host === EXACT[i]) return ${quoted(`PROXY ${authority}; DIRECT`)};
  for (var j = 0; j < BELOW.length; j++)
    if (host.length > BELOW[j].length && host.slice(-BELOW[j].length) === BELOW[j])
      return ${quoted(`PROXY ${authority}; DIRECT`)};
  return 'DIRECT';
}
`
}

function listed(names: readonly string[]): string {
  return `[${names.toSorted().map(quoted).join(', ')}]`
}

/** JSON, and safe inside an HTML comment or a script element as well. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[<>\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
