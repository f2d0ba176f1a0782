import { Mistral } from '@mistralai/mistralai'
import { ask, joined, prompt } from './lib.mjs'

const { chat } = new Mistral({ apiKey: 'simulated-key' })
await ask(async () =>
  joined(
    await chat.stream({
      model: 'mistral-small-latest',
      messages: [{ role: 'user', content: prompt }],
    }),
    ({ data }) => data.choices[0]?.delta.content,
  ),
)
