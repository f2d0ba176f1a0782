import { openai } from '@ai-sdk/openai'
import { generateText } from 'ai'
import { ask, prompt } from './lib.mjs'

await ask(async () => {
  const { text } = await generateText({ model: openai('gpt-5-mini'), prompt })
  return text
})
