/**
 * The error body of each provider, so that an answer of our own raises a client library's
 * ordinary error class. Knows shapes only: which status and which words are for the caller,
 * and `message` must already be fit for the client's eyes. The shapes follow the providers'
 * published API references; a plain `message` at the top serves programs that read no more.
 */

/** What an answer of our own says; all of it is the client's to see. */
export interface EnvelopeError {
  readonly status: number
  /** Ours, such as `YORI_UPSTREAM_TIMEOUT`, or a policy's. */
  readonly code: string
  readonly message: string
  readonly requestId: string
  /** The policy that denies it, for agents that ask by a sidecar. */
  readonly policyId?: string
  /** The same may be asked again after so many seconds. */
  readonly retryAfterS?: number | undefined
  /** The same may be asked again at any time: something was out. */
  readonly isOutage?: boolean
}

/**
 * A body of JSON, and what is to be sent with it; its length and its status are the
 * caller's.
 */
export interface Envelope {
  readonly contentType: string
  readonly body: string
  /**
   * To be sent with the answer. Unless time makes room, or something is out that may come back,
   * `x-should-retry: false` stops the OpenAI and Anthropic libraries from trying again where they would by the status (408, 409, 429, 5xx).
   */
  readonly headers: Readonly<Record<string, string>>
}

const JSON_TYPE = 'application/json'
const NO_RETRY = { 'x-should-retry': 'false' } as const

/** The answer for a provider by its name in the catalogue; an unknown one gets OpenAI's. */
export function errorEnvelope(
  provider: string | undefined,
  error: EnvelopeError,
): Envelope {
  const made = envelopeOf(provider, error)
  if (error.retryAfterS === undefined && error.isOutage !== true) return made
  const { 'x-should-retry': _no, ...headers } = made.headers
  return { ...made, headers }
}

function envelopeOf(provider: string | undefined, error: EnvelopeError): Envelope {
  switch (provider) {
    case 'anthropic':
      return envelope(anthropicBody(error))
    case 'gemini':
    case 'vertex':
      return envelope(geminiBody(error))
    case 'mistral':
      return envelope(mistralBody(error))
    case 'cohere':
      return envelope({ id: error.requestId, message: error.message })
    case 'ollama':
      return envelope({ error: error.message, message: error.message })
    case 'mcp':
      return envelope(rpcBody(error))
    case 'bedrock':
      return envelope(
        { message: error.message },
        {
          'x-amzn-errortype': bedrockType(error.status),
          'x-amzn-requestid': error.requestId,
        },
      )
    default:
      return envelope(openaiBody(error))
  }
}

function envelope(body: object, extra: Readonly<Record<string, string>> = {}): Envelope {
  return {
    contentType: JSON_TYPE,
    body: JSON.stringify(body),
    headers: { ...NO_RETRY, ...extra },
  }
}

/** JSON-RPC 2.0 §5.1: the codes from -32000 on are the implementation's. */
const RPC_SERVER_ERROR = -32000

/** Which message it answers is not known where nobody has read it. */
function rpcBody(error: EnvelopeError): object {
  const data = { code: error.code, request_id: error.requestId }
  const said = { code: RPC_SERVER_ERROR, message: error.message, data }
  return { jsonrpc: '2.0', id: null, error: said, message: error.message }
}

function openaiBody(error: EnvelopeError): object {
  return {
    error: {
      message: error.message,
      type: openaiType(error.status),
      param: null,
      code: error.code,
      request_id: error.requestId,
      ...(error.policyId === undefined ? {} : { policy_id: error.policyId }),
    },
    message: error.message,
  }
}

function openaiType(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

function anthropicBody(error: EnvelopeError): object {
  return {
    type: 'error',
    error: {
      type: anthropicType(error.status),
      message: error.message,
      ...(error.policyId === undefined ? {} : { policy_id: error.policyId }),
    },
    request_id: error.requestId,
    message: error.message,
  }
}

function anthropicType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 408:
    case 504:
      return 'timeout_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 503:
    case 529:
      return 'overloaded_error'
    default:
      return status >= 500 ? 'api_error' : 'invalid_request_error'
  }
}

function geminiBody(error: EnvelopeError): object {
  return {
    error: {
      code: error.status,
      message: error.message,
      status: rpcStatus(error.status),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: error.code,
          domain: 'yori',
          metadata: { request_id: error.requestId },
        },
        ...(error.retryAfterS === undefined ? [] : [retryInfo(error.retryAfterS)]),
      ],
    },
    message: error.message,
  }
}

/** google.rpc.RetryInfo, in the JSON form of a Duration. */
function retryInfo(seconds: number): object {
  const type = 'type.googleapis.com/google.rpc.RetryInfo'
  return { '@type': type, retryDelay: `${seconds}s` }
}

/** google.rpc.Code as Google's APIs pair it with an HTTP status. */
function rpcStatus(status: number): string {
  switch (status) {
    case 401:
      return 'UNAUTHENTICATED'
    case 403:
      return 'PERMISSION_DENIED'
    case 404:
      return 'NOT_FOUND'
    case 409:
      return 'ABORTED'
    case 429:
      return 'RESOURCE_EXHAUSTED'
    case 499:
      return 'CANCELLED'
    case 502:
    case 503:
      return 'UNAVAILABLE'
    case 408:
    case 504:
      return 'DEADLINE_EXCEEDED'
    default:
      return status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT'
  }
}

function mistralBody(error: EnvelopeError): object {
  return {
    object: 'error',
    message: error.message,
    type: openaiType(error.status),
    param: null,
    code: error.code,
    request_id: error.requestId,
  }
}

function bedrockType(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'AccessDeniedException'
    case 404:
      return 'ResourceNotFoundException'
    case 408:
    case 504:
      return 'ModelTimeoutException'
    case 429:
      return 'ThrottlingException'
    case 502:
    case 503:
      return 'ServiceUnavailableException'
    default:
      return status >= 500 ? 'InternalServerException' : 'ValidationException'
  }
}
