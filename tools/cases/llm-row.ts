/** A recorded exchange as its row has it, and what of its counts can be compared. */
export interface PairRow {
  readonly id: string
  readonly provider: string
  readonly request: {
    readonly method: string
    /** Lacking where only the answer was kept. */
    readonly url?: string | null
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: string | null
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: string
  }
  readonly expected: Expected
}

export interface Expected {
  readonly request_model: string | null
  readonly response_model: string | null
  readonly stream: boolean
  readonly text: string | null
  readonly tool_calls: readonly { name: string; arguments: string }[]
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly finish: string | null
  readonly error: Readonly<Record<string, unknown>> | null
  readonly sse_events: number | null
}

/** What vendors count beside the count that a row has; as the recorded bytes say it last. */
const BESIDE = {
  input: [
    'cache_read_input_tokens',
    'cache_creation_input_tokens',
    'cacheReadInputTokens',
    'cacheWriteInputTokens',
    'toolUsePromptTokenCount',
  ],
  output: ['thoughtsTokenCount', 'total_thought_tokens'],
} as const

/** The row's counts with what the vendor counts beside them: tokens mean one thing here. */
export function tokensOf(row: PairRow): { input: number | null; output: number | null } {
  const { input_tokens: input, output_tokens: output } = row.expected
  const beside = (names: readonly string[]): number => {
    let sum = 0
    for (const name of names) {
      const all = [...row.response.body.matchAll(new RegExp(`"${name}": ?(\\d+)`, 'g'))]
      sum += Number(all.at(-1)?.[1] ?? 0)
    }
    return sum
  }
  return {
    input: input === null ? null : input + beside(BESIDE.input),
    output: output === null ? null : output + beside(BESIDE.output),
  }
}

/** Where each recorded provider is asked, when a row does not say. */
const PROVIDER_URLS: Readonly<Record<string, string>> = {
  anthropic: 'https://api.anthropic.com/v1/messages',
  azure: 'https://x.openai.azure.com/openai/v1/responses',
  openai: 'https://api.openai.com/v1/responses',
  mistral: 'https://api.mistral.ai/v1/chat/completions',
  google:
    'https://generativelanguage.googleapis.com/v1beta/models/x:streamGenerateContent',
}

/** What only answers of that API have in them; the narrower before the wider. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [
    /"event_type": ?"(?:interaction|content|step)\./,
    'https://generativelanguage.googleapis.com/v1beta/interactions',
  ],
  [/"object": ?"chat\.completion/, 'https://api.openai.com/v1/chat/completions'],
  [/"type": ?"response\.|"object": ?"response"/, 'https://api.openai.com/v1/responses'],
  [/"object": ?"text_completion"/, 'https://api.openai.com/v1/completions'],
  [/"type": ?"(?:message_start|message)"/, 'https://api.anthropic.com/v1/messages'],
  [/"choices": ?\[/, 'https://api.openai.com/v1/chat/completions'],
  [/"type": ?"message-start"/, 'https://api.cohere.com/v2/chat'],
  [
    /"candidates": ?\[/,
    'https://generativelanguage.googleapis.com/v1beta/models/x:streamGenerateContent',
  ],
]

/** The URL that a row is played at: its own, or one by provider and shape; undefined: neither. */
export function urlOf(
  row: { readonly url?: unknown; readonly provider?: unknown },
  answer: string,
): URL | undefined {
  if (typeof row.url === 'string' && URL.canParse(row.url)) return new URL(row.url)
  const shape = SHAPES.find(([tells]) => tells.test(answer))?.[1]
  const own = PROVIDER_URLS[String(row.provider)]
  if (own === undefined || shape === undefined) {
    const known = shape ?? own
    return known === undefined ? undefined : new URL(known)
  }
  // The provider's host, and the path of what was answered there.
  const [at, found] = [new URL(own), new URL(shape)]
  return found.hostname.endsWith('openai.com') ? new URL(found.pathname, at) : found
}

export function pairUrl(row: PairRow): URL | undefined {
  const { provider, request, response } = row
  return urlOf({ url: request.url, provider }, response.body)
}
