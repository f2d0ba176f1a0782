import Anthropic from '@anthropic-ai/sdk'
import { ask, prompt } from './lib.mjs'

const client = new Anthropic({ apiKey: 'simulated-key' })
await ask(async () => {
  const said = await client.messages
    .stream({
      model: 'claude-sonnet-4-5',
      max_tokens: 100,
      messages: [{ role: 'user', content: prompt }],
    })
    .finalMessage()
  return said.content[0].text
})
