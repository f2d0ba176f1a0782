import { Ollama } from 'ollama'
import { ask, joined, prompt } from './lib.mjs'

const headers = { authorization: 'Bearer simulated-key' }
const client = new Ollama({ host: 'https://ollama.com', headers })
await ask(async () =>
  joined(
    await client.chat({
      model: 'gpt-oss:120b',
      messages: [{ role: 'user', content: prompt }],
      stream: true,
    }),
    (chunk) => chunk.message.content,
  ),
)
