// Usage: node dist/tools/bench/alerts.js [--calls 400] [--rounds 4]
// Does a sink that is down touch traffic? Two YORIs up at once, one that tells three sinks (one
// hangs, one refuses, one resets) of every second call, one that tells nobody: the same calls to
// both in turn, half of them blocked. Prints p50 and p99 of the allowed calls of each, and the
// ratio in this run; exit code 1 when the p99 of the one with sinks is over 1.25 of the other's.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { SHIPPED, startHeld } from './held-yori.js'
import type { HeldYori } from './held-yori.js'

const MOST_RATIO = 1.25
const AT_ONCE = 4

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '4' },
  },
})
const [calls, rounds] = [Number(values.calls), Number(values.rounds)]

const chat = (content: string): Buffer =>
  Buffer.from(
    JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content }] }),
  )
const ALLOWED = { body: chat('Name a moon of Neptune'), type: 'application/json' }
const BLOCKED = { body: chat('My card is 4111 1111 1111 1111'), type: 'application/json' }

let told = 0
const sinks = ['hang', 'refuse', 'reset'].map((kind) => {
  const server = createServer((request, response) => {
    told++
    request.resume()
    if (kind === 'refuse') response.writeHead(503).end()
    if (kind === 'reset') response.destroy()
  })
  server.listen(0, '127.0.0.1')
  return { kind, server }
})
await Promise.all(sinks.map(({ server }) => once(server, 'listening')))
const alerts = {
  cooldown: 0.01,
  sinks: Object.fromEntries(
    sinks.map(({ kind, server }) => {
      const { port } = server.address() as AddressInfo
      return [kind, { type: 'homeassistant', url: `http://127.0.0.1:${port}/` }]
    }),
  ),
}

await using quiet = await startHeld(SHIPPED)
await using telling = await startHeld(SHIPPED, { alerts })
const times = { quiet: [] as number[], telling: [] as number[] }
const statuses = new Map<string, number>()
try {
  await round(quiet, [], 100)
  await round(telling, [], 100)
  statuses.clear()
  for (let n = 0; n < rounds; n++) {
    const turns = [
      [quiet, times.quiet],
      [telling, times.telling],
    ] as const
    // In turn, each first as often as the other: what disturbs, disturbs both.
    for (const [yori, into] of n % 2 === 0 ? turns : turns.toReversed())
      await round(yori, into, calls / rounds)
  }
} finally {
  for (const { server } of sinks) {
    server.closeAllConnections()
    server.close()
  }
}

const [a, b] = [sorted(times.quiet), sorted(times.telling)]
const row = (name: string, share: number): string => {
  const [without, having] = [at(a, share), at(b, share)]
  return `${name}: ${without.toFixed(2)} ms without, ${having.toFixed(2)} ms with, ratio ${(having / without).toFixed(2)}`
}
console.log(`${a.length} allowed calls each; sinks were posted to ${told} times`)
console.log([...statuses].map(([status, count]) => `${status}: ${count}`).join(', '))
console.log(row('p50', 0.5))
console.log(row('p99', 0.99))
process.exitCode = at(b, 0.99) / at(a, 0.99) > MOST_RATIO ? 1 : 0

async function round(yori: HeldYori, into: number[], count: number): Promise<void> {
  let left = count
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const isBlocked = left % 2 === 0
        const began = performance.now()
        const said = await yori.ask(isBlocked ? BLOCKED : ALLOWED, 'h1')
        if (!isBlocked) into.push(performance.now() - began)
        const status = said.slice(0, 3)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }),
  )
}

function sorted(list: readonly number[]): readonly number[] {
  return list.toSorted((x, y) => x - y)
}

function at(list: readonly number[], share: number): number {
  return list[Math.min(list.length - 1, Math.floor(list.length * share))] ?? Number.NaN
}
