import Groq from 'groq-sdk'
import { ask, joined, prompt } from './lib.mjs'

const client = new Groq({ apiKey: 'simulated-key' })
await ask(async () =>
  joined(
    await client.chat.completions.create({
      model: 'llama-3.3-70b-versatile',
      messages: [{ role: 'user', content: prompt }],
      stream: true,
    }),
    (chunk) => chunk.choices[0]?.delta.content,
  ),
)
