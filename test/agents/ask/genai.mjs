import { GoogleGenAI } from '@google/genai'
import { ask, joined, prompt } from './lib.mjs'

const { models } = new GoogleGenAI({ apiKey: 'simulated-key' })
await ask(async () =>
  joined(
    await models.generateContentStream({ model: 'gemini-2.5-flash', contents: prompt }),
    (chunk) => chunk.text,
  ),
)
