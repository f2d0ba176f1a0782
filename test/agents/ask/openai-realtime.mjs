import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { ask, prompt } from './lib.mjs'

const client = new OpenAI({ apiKey: 'simulated-key' })
await ask(async () => {
  const socket = new OpenAIRealtimeWS({ model: 'gpt-realtime' }, client)
  const said = await new Promise((resolve, reject) => {
    let text = ''
    socket.on('response.output_text.delta', (event) => (text += event.delta))
    socket.once('response.done', () => resolve(text))
    socket.on('error', reject)
    socket.socket.on('close', (code, reason) =>
      reject(new Error(`closed: ${code} ${reason}`)),
    )
    socket.socket.on('open', () => {
      const content = [{ type: 'input_text', text: prompt }]
      socket.send({
        type: 'conversation.item.create',
        item: { type: 'message', role: 'user', content },
      })
      socket.send({ type: 'response.create' })
    })
  })
  socket.close()
  return said
})
