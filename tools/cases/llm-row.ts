/** A recorded exchange as its row has it, and what of its counts can be compared. */
export interface PairRow {
  readonly id: string
  readonly provider: string
  readonly request: {
    readonly method: string
    readonly url: string
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
