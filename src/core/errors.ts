/**
 * The catalogue of everything that can go wrong by name. Codes are public: append, never rename.
 * `source` decides who is told; `status` is what a client gets when the error meets an exchange.
 */
const CATALOGUE = {
  YORI_CLIENT_HELLO_TIMEOUT: {
    source: 'client',
    status: 408,
    says: 'no complete ClientHello in time',
  },
  YORI_CLIENT_TLS_FAILED: {
    source: 'client',
    status: 400,
    says: 'the TLS handshake with the client failed',
  },
  YORI_CLIENT_GONE: {
    source: 'client',
    status: 499,
    says: 'the client closed before the exchange was complete',
  },
  YORI_CLIENT_RESET: {
    source: 'client',
    status: 499,
    says: 'the client connection was reset',
  },
  YORI_CLIENT_NOT_ALLOWED: {
    source: 'client',
    status: 403,
    says: 'this client may not use the explicit or direct way',
  },
  YORI_CLIENT_CROSS_SITE: {
    source: 'client',
    status: 403,
    says: 'a cross-site request to our own host',
  },
  YORI_PROXY_AUTHENTICATION: {
    source: 'client',
    status: 407,
    says: 'this proxy asks for a user and a password',
  },
  YORI_REQUEST_MALFORMED: {
    source: 'client',
    status: 400,
    says: 'the request is not valid HTTP',
  },
  YORI_REQUEST_TIMEOUT: {
    source: 'client',
    status: 408,
    says: 'the request did not arrive in time',
  },
  YORI_REQUEST_HEAD_TOO_LARGE: {
    source: 'client',
    status: 431,
    says: 'the request head is over its limit',
  },
  YORI_REQUEST_BODY_TOO_LARGE: {
    source: 'client',
    status: 413,
    says: 'the request body is over its limit',
  },
  YORI_TRANSFER_CODING_UNKNOWN: {
    source: 'client',
    status: 501,
    says: 'the request has a transfer coding other than chunked',
  },
  YORI_MISDIRECTED: {
    source: 'client',
    status: 421,
    says: 'Host, SNI and CONNECT target do not name one host',
  },
  YORI_UNKNOWN_HOST: { source: 'client', status: 404, says: 'no endpoint of that name' },
  YORI_NOT_FOUND: { source: 'client', status: 404, says: 'nothing at that path' },
  YORI_DESTINATION_REFUSED: {
    source: 'client',
    status: 403,
    says: 'the destination is not one that YORI connects to',
  },
  YORI_ENDPOINT_REFUSED: {
    source: 'client',
    status: 403,
    says: 'the operator refuses this endpoint',
  },
  YORI_NOT_INSPECTABLE: {
    source: 'client',
    status: 403,
    says: 'the app does not accept inspection, and a policy that blocks is in force',
  },
  YORI_REFUSED_BY_POLICY: {
    source: 'client',
    status: 403,
    says: 'a policy does not let this device have this endpoint now',
  },
  YORI_EVADES_INSPECTION: {
    source: 'client',
    status: 403,
    says: 'the connection hides which endpoint it leads to, and a policy that blocks is in force',
  },
  YORI_TOO_MANY_REQUESTS: {
    source: 'client',
    status: 429,
    says: 'too many exchanges at once',
  },
  YORI_TOO_MANY_CONNECTIONS: {
    source: 'client',
    status: 503,
    says: 'too many connections at once',
  },
  YORI_CLIENT_FLOOD: {
    source: 'client',
    status: 429,
    says: 'too many resets or control frames on one HTTP/2 connection',
  },
  YORI_WEBSOCKET_IDLE: {
    source: 'client',
    status: 408,
    says: 'a WebSocket on which nothing moved was closed',
  },
  YORI_UPSTREAM_UNRESOLVED: {
    source: 'upstream',
    status: 502,
    says: 'the name did not resolve',
  },
  YORI_UPSTREAM_UNREACHABLE: {
    source: 'upstream',
    status: 502,
    says: 'could not connect',
  },
  YORI_UPSTREAM_CONNECT_TIMEOUT: {
    source: 'upstream',
    status: 504,
    says: 'no connection in time',
  },
  YORI_UPSTREAM_NO_TARGET: {
    source: 'upstream',
    status: 503,
    says: 'no target of the pool has room for one more request',
  },
  YORI_UPSTREAM_BUSY: {
    source: 'upstream',
    status: 503,
    says: 'it waited for a place at the provider, and none became free in time',
  },
  YORI_UPSTREAM_TLS_FAILED: {
    source: 'upstream',
    status: 502,
    says: 'the TLS handshake with the provider failed',
  },
  YORI_UPSTREAM_UNTRUSTED: {
    source: 'upstream',
    status: 502,
    says: 'certificate did not verify',
  },
  YORI_UPSTREAM_CLIENT_CERTIFICATE: {
    source: 'upstream',
    status: 502,
    says: 'the provider asks for a client certificate, which YORI does not have',
  },
  YORI_UPSTREAM_TIMEOUT: { source: 'upstream', status: 504, says: 'no response in time' },
  YORI_UPSTREAM_CLOSED: {
    source: 'upstream',
    status: 502,
    says: 'the provider closed before its response was complete',
  },
  YORI_UPSTREAM_MALFORMED: {
    source: 'upstream',
    status: 502,
    says: 'the response is not valid HTTP',
  },
  YORI_UPSTREAM_RESET: {
    source: 'upstream',
    status: 502,
    says: 'the connection that a tunnel led to was reset',
  },
  YORI_TUNNEL_IDLE: {
    source: 'client',
    status: 408,
    says: 'no byte passed the tunnel in either direction in time',
  },
  YORI_CLIENT_STALLED: {
    source: 'client',
    status: 408,
    says: 'the client took nothing of what it is sent in time',
  },
  YORI_UPSTREAM_LOOP: {
    source: 'upstream',
    status: 502,
    says: 'the name leads back to YORI (loop)',
  },
  YORI_CONFIG_INVALID: {
    source: 'operator',
    status: 500,
    says: 'configuration does not fit the schema',
  },
  YORI_CONFIG_UNREADABLE: {
    source: 'operator',
    status: 500,
    says: 'configuration could not be read',
  },
  YORI_LISTEN_FAILED: { source: 'operator', status: 500, says: 'could not listen' },
  YORI_STEERING_FAILED: {
    source: 'operator',
    status: 500,
    says: 'steering could not be changed',
  },
  YORI_STATE_UNUSABLE: {
    source: 'operator',
    status: 500,
    says: 'the state folder cannot be used',
  },
  YORI_CA_UNUSABLE: { source: 'operator', status: 500, says: 'the CA cannot be used' },
  YORI_CA_KEY_EXPOSED: {
    source: 'operator',
    status: 500,
    says: 'a private key can be read by others',
  },
  YORI_CA_MISSING: { source: 'operator', status: 500, says: 'a CA file is missing' },
  YORI_CA_NAME_NOT_PERMITTED: {
    source: 'operator',
    status: 500,
    says: 'the name lies outside what the CA may sign',
  },
  YORI_CA_PASSPHRASE: {
    source: 'operator',
    status: 500,
    says: 'the passphrase of the root key is wrong or missing',
  },
  YORI_CA_BUSY: {
    source: 'operator',
    status: 500,
    says: 'another process is changing the CA',
  },
  YORI_AUDIT_UNAVAILABLE: {
    source: 'internal',
    status: 500,
    says: 'the audit store does not answer',
  },
  YORI_INTERNAL: { source: 'internal', status: 500, says: 'a fault of YORI itself' },
  YORI_NOT_OVER_WEBSOCKET: {
    source: 'client',
    status: 426,
    says: 'what is said on this WebSocket cannot be inspected: ask by HTTP instead',
  },
  YORI_NOT_GOVERNED: {
    source: 'operator',
    status: 503,
    says: 'no policy is configured that could govern this request',
  },
  YORI_KEY_UNKNOWN: {
    source: 'client',
    status: 401,
    says: 'this key is not known here, or no longer',
  },
  YORI_KEY_REQUIRED: {
    source: 'client',
    status: 401,
    says: 'a key of this YORI is asked for here: send it where the provider takes its own',
  },
  YORI_KEY_MODEL_REFUSED: {
    source: 'client',
    status: 403,
    says: 'this key is not for that model',
  },
  YORI_KEY_BUDGET_SPENT: {
    source: 'client',
    status: 403,
    says: 'the budget of this key is spent',
  },
  YORI_KEY_RATE_LIMITED: {
    source: 'client',
    status: 429,
    says: 'this key asks more often than it may',
  },
  YORI_USER_UNKNOWN: {
    source: 'client',
    status: 401,
    says:
      'YORI asks for a user and a password here: send them with each request as ' +
      'Proxy-Authorization: Basic, in the default headers of a library',
  },
  YORI_PROVIDER_UNKNOWN: {
    source: 'client',
    status: 502,
    says: 'the gateway has no provider of that name',
  },
  YORI_PROVIDER_NOT_CONFIGURED: {
    source: 'operator',
    status: 503,
    says: 'nobody has said where this provider is',
  },
  YORI_NOT_FORWARDED: {
    source: 'client',
    status: 400,
    says: 'the request cannot be sent on as it stands',
  },
  YORI_REPLAY_MISSED: {
    source: 'client',
    status: 404,
    says: 'no recording answers this request',
  },
  YORI_MCP_SERVER_UNKNOWN: {
    source: 'client',
    status: 404,
    says: 'no server of MCP has that name here',
  },
  YORI_MCP_UNREADABLE: {
    source: 'client',
    status: 400,
    says: 'the message cannot be read as its server might read it',
  },
  YORI_MCP_HEADER_MISMATCH: {
    source: 'client',
    status: 400,
    says: 'a field of the head says something else than the message',
  },
  YORI_MCP_RATE_LIMITED: {
    source: 'client',
    status: 429,
    says: 'tools of that server are called more often than they may be',
  },
} as const satisfies Record<string, { source: ErrorSource; status: number; says: string }>

export type ErrorSource = 'client' | 'upstream' | 'operator' | 'internal'
export type ErrorCode = keyof typeof CATALOGUE

export const errorCodes = Object.keys(CATALOGUE) as readonly ErrorCode[]

export interface YoriErrorOptions extends ErrorOptions {
  /** For clients beyond this machine, where `detail` tells more than they may know. */
  readonly told?: string
  /** Seconds after which the same may be asked again. */
  readonly retryAfterS?: number | undefined
}

export class YoriError extends Error {
  readonly code: ErrorCode
  readonly retryAfterS: number | undefined
  readonly #told: string | undefined

  /** `detail` says what, where and what to do; never a key, a header value or a body. */
  constructor(code: ErrorCode, detail?: string, options?: YoriErrorOptions) {
    super(detail === undefined ? CATALOGUE[code].says : detail, options)
    this.name = 'YoriError'
    this.code = code
    this.retryAfterS = options?.retryAfterS
    this.#told = options?.told
  }

  /** The detail for a client; `isLocal`: it is on this machine, and may know all. */
  toldTo(isLocal: boolean): string {
    return isLocal ? this.message : (this.#told ?? this.message)
  }

  get source(): ErrorSource {
    return CATALOGUE[this.code].source
  }

  get status(): number {
    return CATALOGUE[this.code].status
  }
}

export function describeError(code: ErrorCode): {
  source: ErrorSource
  status: number
  says: string
} {
  return CATALOGUE[code]
}

/** The code of whatever was thrown; everything unforeseen is ours. */
export function codeOf(cause: unknown): ErrorCode {
  return cause instanceof YoriError ? cause.code : 'YORI_INTERNAL'
}
