/** Lets everything pass, late. Usage: slow.js SOCKET MILLISECONDS */
import { setTimeout as sleep } from 'node:timers/promises'
import { serveProcessor } from 'yori/processor'

const [path = '/tmp/yori-slow.sock', wait = '5000'] = process.argv.slice(2)

await serveProcessor(path, {
  name: 'slow',
  async requestHead() {
    await sleep(Number(wait))
  },
  async requestBody() {
    await sleep(Number(wait))
  },
})
