import { ChatAnthropic } from '@langchain/anthropic'
import { ask, joined, prompt } from './lib.mjs'

const model = new ChatAnthropic({ model: 'claude-sonnet-4-5' })
await ask(async () => joined(await model.stream(prompt), (chunk) => chunk.text))
