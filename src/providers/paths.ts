/**
 * Which provider owns an API path. A client whose base URL points at our own host sends a
 * path and nothing else that names its provider; the path decides, or nothing does. Whether
 * that host may be reached at all is for the route and the access guard.
 */

interface OwnedPath {
  /** The path itself; it also owns everything below it, at a segment boundary. */
  readonly path: string
  readonly host: string
}

const OPENAI = 'api.openai.com'
const ANTHROPIC = 'api.anthropic.com'
const GEMINI = 'generativelanguage.googleapis.com'
const MISTRAL = 'api.mistral.ai'
const COHERE = 'api.cohere.com'

/** First match counts: the longer path stands before the shorter one that holds it. */
const OWNED: readonly OwnedPath[] = [
  { path: '/v1/chat/completions', host: OPENAI },
  { path: '/v1/completions', host: OPENAI },
  { path: '/v1/embeddings', host: OPENAI },
  { path: '/v1/models', host: OPENAI },
  { path: '/v1/responses', host: OPENAI },
  { path: '/v1/images', host: OPENAI },
  { path: '/v1/audio', host: OPENAI },
  { path: '/v1/moderations', host: OPENAI },
  { path: '/v1/files', host: OPENAI },
  { path: '/v1/uploads', host: OPENAI },
  { path: '/v1/batches', host: OPENAI },
  { path: '/v1/vector_stores', host: OPENAI },
  { path: '/v1/conversations', host: OPENAI },
  { path: '/v1/realtime', host: OPENAI },
  { path: '/v1/messages', host: ANTHROPIC },
  { path: '/v1/complete', host: ANTHROPIC },
  { path: '/v1beta/models', host: GEMINI },
  { path: '/v1beta/tunedModels', host: GEMINI },
  { path: '/v1beta/cachedContents', host: GEMINI },
  { path: '/v1beta/files', host: GEMINI },
  { path: '/v1beta/interactions', host: GEMINI },
  { path: '/v1beta/openai', host: GEMINI },
  { path: '/v1beta/auth_tokens', host: GEMINI },
  { path: '/v1alpha/models', host: GEMINI },
  { path: '/v1alpha/auth_tokens', host: GEMINI },
  { path: '/upload/v1beta/files', host: GEMINI },
  { path: '/v1/fim/completions', host: MISTRAL },
  { path: '/v1/ocr', host: MISTRAL },
  { path: '/v2/chat', host: COHERE },
  { path: '/v2/embed', host: COHERE },
  { path: '/v2/rerank', host: COHERE },
  { path: '/v1/rerank', host: COHERE },
]

/**
 * The host of the provider whose API has this path (a query may follow it), or undefined.
 * Compares text only: dot segments and percent-encoding are not resolved, so a path that
 * needs either owns nothing here.
 */
export function providerHostForPath(path: string): string | undefined {
  const bare = withoutQuery(path)
  for (const owned of OWNED) {
    if (!bare.startsWith(owned.path)) continue
    if (bare.length === owned.path.length || bare[owned.path.length] === '/')
      return hasDotSegment(bare) ? undefined : owned.host
  }
  return undefined
}

/** The path up to its first `?`; nothing is decoded. */
export function withoutQuery(path: string): string {
  const query = path.indexOf('?')
  return query < 0 ? path : path.slice(0, query)
}

const ESCAPE = /%[0-9a-fA-F]{2}/g
/** RFC 3986 §2.3, and what segments of API paths are divided by. */
const PLAIN = /[A-Za-z0-9._~:/-]/

/**
 * The path as servers take it, for recognising and never for forwarding: escapes that are none
 * undone (RFC 3986 §6.2.2), dot segments and empty ones gone. In Bedrock's paths a model's name
 * may hold an escaped `/`, which stays.
 */
export function plainPath(path: string): string {
  const bare = withoutQuery(path)
  if (!/%|\/\/|\/\./.test(bare)) return path
  const isNamed = bare.startsWith('/model/')
  const decoded = bare.replace(ESCAPE, (escape) => {
    const char = String.fromCharCode(parseInt(escape.slice(1), 16))
    return PLAIN.test(char) && !(isNamed && (char === '/' || char === ':'))
      ? char
      : escape
  })
  const segments: string[] = []
  for (const segment of decoded.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}${path.slice(bare.length)}`
}

function hasDotSegment(path: string): boolean {
  return path.split('/').some((segment) => segment === '.' || segment === '..')
}
