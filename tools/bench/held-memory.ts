// Usage: node dist/tools/bench/held-memory.js [--devices N] [--rounds N]
// RSS of YORI while the default bounds of held bodies are filled: N devices (12) send bodies of
// almost 8 MB at once, to be held and looked at by every ready-made policy in enforce. MiB idle,
// and the most that was seen. Exit 1 when that is over 512, or a body does not pass.
import { parseArgs } from 'node:util'
import { HTTP_VERSIONS } from '../../test/support/yori.js'
import { SHIPPED, startHeld } from './held-yori.js'
import { usageOf } from './process-tree.js'
import { machine } from './table.js'

const MOST_MIB = 512
const BYTES = 8 * 1024 * 1024 - 64 * 1024
const WORDS = 'what does a steam engine do with its water, and who is Watt? '

const BODIES: readonly (readonly [string, Buffer])[] = [
  ['one text', chat(message(WORDS.repeat(BYTES / WORDS.length)))],
  ['200 messages', chat(many(200))],
  ['20,000 messages', chat(many(20_000))],
  ['not ASCII', chat(message('größer 漢字 '.repeat(BYTES / 17)))],
]

function message(content: string): string {
  return JSON.stringify({ role: 'user', content })
}

function many(count: number): string {
  const words = WORDS.repeat(BYTES / count / WORDS.length - 1)
  return Array.from({ length: count }, (_, i) => message(`${i} ${words}`)).join(',')
}

function chat(messages: string): Buffer {
  return Buffer.from(`{"model":"gpt-4o","messages":[${messages}]}`)
}

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '2' },
  },
})
console.log(machine())
const devices = Array.from(
  { length: Number(values.devices) },
  (_, i) => `127.0.1.${i + 1}`,
)
await using yori = await startHeld(SHIPPED)
const rss = (): number => usageOf(yori.pid)?.rssMiB ?? NaN
console.log(`idle: ${rss().toFixed(0)} MiB; ${devices.length} devices at once`)
for (const version of HTTP_VERSIONS)
  for (const [name, body] of BODIES) {
    let most = 0
    const timer = setInterval(() => (most = Math.max(most, rss())), 20)
    const statuses = new Set<string>()
    for (let round = 0; round < Number(values.rounds); round++)
      for (const status of await Promise.all(
        devices.map((device) => yori.ask({ body }, version, device)),
      ))
        statuses.add(status)
    clearInterval(timer)
    const isOver = most > MOST_MIB || [...statuses].join() !== '200'
    if (isOver) process.exitCode = 1
    console.log(
      `${name.padEnd(18)}${version}  ${String(body.length).padStart(8)} bytes  ${most.toFixed(0).padStart(4)} MiB  ${[...statuses].join()}${isOver ? '  OVER' : ''}`,
    )
  }
