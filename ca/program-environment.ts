/**
 * The variables by which a program is led through YORI and believes it: proxy and trust, for
 * Node, Python, Go, curl, Git, Deno, AWS and Java. Pure.
 */

export interface ProgramEnvironmentOptions {
  /** `http://host:port` of YORI. */
  readonly proxy: string
  /** Whom to trust: as `trustVariables` and `besidePresent` give them. */
  readonly trust: readonly (readonly [name: string, file: string])[]
  /** PKCS#12 with the public roots and ours. */
  readonly storeFile: string
  readonly storePassword: string
  /** What is there already: lists are added to, never replaced. */
  readonly present: Readonly<Record<string, string | undefined>>
}

const LOCAL = ['localhost', '127.0.0.1', '::1']

export function programEnvironment(
  options: ProgramEnvironmentOptions,
): readonly (readonly [name: string, value: string])[] {
  const { proxy, present } = options
  const given = present['NO_PROXY'] ?? present['no_proxy'] ?? ''
  const direct = [
    ...new Set([...given.split(',').filter((name) => name !== ''), ...LOCAL]),
  ]
  return [
    ...['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'].map(
      (name) => [name, proxy] as const,
    ),
    ['NO_PROXY', direct.join()],
    ['no_proxy', direct.join()],
    // Node 24 and later read the proxy variables when told to.
    ['NODE_USE_ENV_PROXY', '1'],
    ...options.trust,
    ['JAVA_TOOL_OPTIONS', javaOptions(options)],
  ]
}

function javaOptions(options: ProgramEnvironmentOptions): string {
  const { hostname, port } = new URL(options.proxy)
  const properties = [
    ['https.proxyHost', hostname],
    ['https.proxyPort', port],
    ['http.proxyHost', hostname],
    ['http.proxyPort', port],
    ['http.nonProxyHosts', 'localhost|127.*|[::1]'],
    ['javax.net.ssl.trustStore', options.storeFile],
    ['javax.net.ssl.trustStoreType', 'PKCS12'],
    ['javax.net.ssl.trustStorePassword', options.storePassword],
  ].map(([name, value]) => javaQuoted(`-D${name}=${value}`))
  const before = options.present['JAVA_TOOL_OPTIONS'] ?? ''
  const ours = properties.join(' ')
  // Within it the same again.
  if (before.endsWith(ours)) return before
  return before === '' ? ours : `${before} ${ours}`
}

/** Java splits at white space outside quotes and knows no escape: a quote goes in the other kind. */
function javaQuoted(text: string): string {
  if (!/[\s'"]/.test(text)) return text
  return text
    .split(/('+)/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith("'") ? `"${part}"` : `'${part}'`))
    .join('')
}
