// Usage: node provider.js CERTIFICATE.pem KEY.pem
// Answers every HTTPS request as a model would, on port 443; prints a line when it listens.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [certificate = '', key = ''] = process.argv.slice(2)
const ANSWER = JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'gpt-4o' },
  choices: [
    {
      ...{ index: 0, finish_reason: 'stop' },
      message: { role: 'assistant', content: 'good evening' },
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
})
const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  (request, response) => {
    request.resume()
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(ANSWER)
    })
  },
)
server.listen(443, () => console.log('listening'))
