/**
 * Whose library asks us in our own name, where no provider's host tells it: by the fields that
 * it sends with each request, else by the API path. Whoever shows neither is told in OpenAI's
 * shape, which holds the code and the message for everybody. Pure.
 */

/** Fields in lower case, and whose they are. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ['anthropic-version', 'anthropic'],
  ['x-goog-api-client', 'gemini'],
  ['x-goog-api-key', 'gemini'],
  ['x-amz-date', 'bedrock'],
  ['x-amz-target', 'bedrock'],
])

/** How the User-Agent begins, in lower case, and whose it is. */
const AGENTS: readonly (readonly [string, string])[] = [
  ['openai/', 'openai'],
  ['asyncopenai/', 'openai'],
  ['anthropic/', 'anthropic'],
  ['asyncanthropic/', 'anthropic'],
  ['claude-cli/', 'anthropic'],
  ['google-genai-sdk/', 'gemini'],
  ['genai-js', 'gemini'],
  ['mistral-client', 'mistral'],
  ['mistralai/', 'mistral'],
  ['cohere-', 'cohere'],
  ['cohere/', 'cohere'],
  ['ollama-', 'ollama'],
  ['ollama/', 'ollama'],
  ['aws-sdk-', 'bedrock'],
  ['boto3/', 'bedrock'],
]

const FOR_OTHERS = 'openai'

/** `byPath`: whose path it is, where it is one. `rawHeaders` are flat, as received. */
export function askingSdk(
  rawHeaders: readonly string[],
  byPath: string | undefined,
): string {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    const byField = FIELDS.get(name)
    if (byField !== undefined) return byField
    if (name !== 'user-agent') continue
    const agent = (rawHeaders[i + 1] as string).toLowerCase()
    const byAgent = AGENTS.find(([start]) => agent.startsWith(start))?.[1]
    if (byAgent !== undefined) return byAgent
  }
  return byPath ?? FOR_OTHERS
}
