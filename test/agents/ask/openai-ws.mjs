import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'
import { ask, prompt } from './lib.mjs'

const client = new OpenAI({ apiKey: 'simulated-key' })
const turn = (socket, request) =>
  new Promise((resolve, reject) => {
    let text = ''
    socket.on('response.output_text.delta', (event) => (text += event.delta))
    socket.once('response.completed', () => resolve(text))
    socket.on('error', reject)
    socket.socket.on('close', (code, reason) =>
      reject(new Error(`closed: ${code} ${reason}`)),
    )
    socket.send({ type: 'response.create', model: 'gpt-5-mini', ...request })
  })
await ask(async () => {
  const socket = new ResponsesWS(client)
  const said = await turn(socket, { input: prompt })
  socket.close()
  return said
})
