// Usage: node block-loop.js PID SECONDS
// Keeps the event loop of a Node process busy for that long, through its inspector, and prints
// when that began (ms since 1970).
import { WebSocket } from 'ws'

const [pid, seconds] = process.argv.slice(2).map(Number)
process.kill(Number(pid), 'SIGUSR1')

/** The inspector opens a moment after the signal. */
async function inspector(): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      const answer = await fetch('http://127.0.0.1:9229/json/list')
      const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[]
      if (target !== undefined) return target.webSocketDebuggerUrl
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('no inspector')
}

const expression = `const end = Date.now() + ${Number(seconds) * 1000}; while (Date.now() < end);`
const socket = new WebSocket(await inspector())
socket.on('open', () => {
  const params = { expression: `{ ${expression} }` }
  const at = Date.now()
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }), () => {
    console.log(at)
    socket.terminate()
  })
})
