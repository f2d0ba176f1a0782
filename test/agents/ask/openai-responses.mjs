import OpenAI from 'openai'
import { ask, prompt } from './lib.mjs'

const client = new OpenAI({ apiKey: 'simulated-key' })
await ask(async () => {
  const said = await client.responses.create({ model: 'gpt-5-mini', input: prompt })
  return said.output_text
})
