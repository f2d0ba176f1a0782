import { ChatOpenAI } from '@langchain/openai'
import { ask, prompt } from './lib.mjs'

const model = new ChatOpenAI({ model: 'gpt-4.1-mini' })
await ask(async () => (await model.invoke(prompt)).content)
