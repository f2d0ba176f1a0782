import OpenAI from 'openai'
import { ask, joined, prompt } from './lib.mjs'

const client = new OpenAI({ apiKey: 'simulated-key' })
await ask(async () =>
  joined(
    await client.chat.completions.create({
      model: 'gpt-4.1-mini',
      messages: [{ role: 'user', content: prompt }],
      stream: true,
      stream_options: { include_usage: true },
    }),
    (chunk) => chunk.choices[0]?.delta.content,
  ),
)
