import { CohereClientV2 } from 'cohere-ai'
import { ask, joined, prompt } from './lib.mjs'

const client = new CohereClientV2({ token: 'simulated-key' })
await ask(async () =>
  joined(
    await client.chatStream({
      model: 'command-a-03-2025',
      messages: [{ role: 'user', content: prompt }],
    }),
    (event) =>
      event.type === 'content-delta' ? event.delta?.message?.content?.text : undefined,
  ),
)
