/** What Cohere's own library says. */
import { CohereClientV2 } from 'cohere-ai'
import { called, counted, KEY, user, WORDS } from './sdk-words.js'
import type { Said, SdkAsked } from './sdk-words.js'

export function cohere({
  url,
  model,
  stream,
}: SdkAsked): (() => Promise<Said>) | undefined {
  const client = new CohereClientV2({
    token: KEY,
    fetch: (...args: Parameters<typeof fetch>) => fetch(...args),
  })
  const options = { maxRetries: 0 }
  if (url.pathname === '/v2/embed')
    return async () => {
      const said = await client.embed(
        {
          model,
          texts: [WORDS],
          inputType: 'search_query',
          embeddingTypes: ['float'],
        },
        options,
      )
      const billed = said.meta?.billedUnits
      return {
        id: said.id,
        text: '',
        calls: [],
        ...counted(billed?.inputTokens, undefined),
      }
    }
  if (url.pathname !== '/v2/chat') return undefined
  const params = { model, messages: [user] }
  return stream
    ? async () => cohereStream(await client.chatStream(params, options))
    : async () => {
        const said = await client.chat(params, options)
        const { tokens } = said.usage ?? {}
        return {
          id: said.id,
          text: (said.message.content ?? [])
            .map((part) => (part.type === 'text' ? part.text : ''))
            .join(''),
          calls: (said.message.toolCalls ?? []).map((call) =>
            called(call.function?.name ?? '', call.function?.arguments),
          ),
          ...counted(tokens?.inputTokens, tokens?.outputTokens),
          finish: said.finishReason,
        }
      }
}

type CohereEvents = Awaited<ReturnType<CohereClientV2['chatStream']>>

async function cohereStream(events: CohereEvents): Promise<Said> {
  let text = ''
  let id: string | undefined
  let end: Partial<Said> = {}
  const calls: { name: string; text: string }[] = []
  for await (const event of events)
    switch (event.type) {
      case 'message-start':
        id = event.id
        break
      case 'content-delta':
        text += event.delta?.message?.content?.text ?? ''
        break
      case 'tool-call-start': {
        const inner = event.delta?.message?.toolCalls?.function
        calls.push({ name: inner?.name ?? '', text: inner?.arguments ?? '' })
        break
      }
      case 'tool-call-delta': {
        const call = calls.at(-1)
        const piece = event.delta?.message?.toolCalls?.function?.arguments ?? ''
        if (call !== undefined) call.text += piece
        break
      }
      case 'message-end': {
        const tokens = event.delta?.usage?.tokens
        end = {
          ...counted(tokens?.inputTokens, tokens?.outputTokens),
          finish: event.delta?.finishReason,
        }
        break
      }
      default:
        break
    }
  return { id, text, calls: calls.map((call) => called(call.name, call.text)), ...end }
}
