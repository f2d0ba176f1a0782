import { anthropic } from '@ai-sdk/anthropic'
import { streamText } from 'ai'
import { ask, prompt } from './lib.mjs'

await ask(async () => {
  let failure
  const { textStream } = streamText({
    model: anthropic('claude-sonnet-4-5'),
    prompt,
    onError: ({ error }) => (failure = error),
  })
  let text = ''
  for await (const piece of textStream) text += piece
  if (failure !== undefined) throw failure
  return text
})
