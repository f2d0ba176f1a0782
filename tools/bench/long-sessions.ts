// Usage: node dist/tools/bench/long-sessions.js [--turns N] [--sessions N]
// What a turn of a session of 2 MB of ordinary text costs in enforce with every ready-made
// policy, over HTTP/1.1 and HTTP/2: CPU of YORI's process a turn (N is 20). A collection of all
// garbage, which costs as much as a turn, comes with every second of them and hits now the one,
// now the other: so the means of several sessions (8) are compared, after one that warms up. Then
// a card number in the middle. Exit 1 when a turn does not pass, the last costs more than twice
// the second, or the card number passes.
import { parseArgs } from 'node:util'
import { HTTP_VERSIONS } from '../../test/support/yori.js'
import type { HttpVersion } from '../../test/support/yori.js'
import { SHIPPED, startHeld } from './held-yori.js'
import type { HeldYori } from './held-yori.js'
import { usageOf } from './process-tree.js'
import { machine } from './table.js'

const MESSAGES = 500
const WORDS = 'the "quick" brown fox jumps over the lazy dog\nand again ä '
const CARD = '4111 1111 1111 1111'

interface Message {
  readonly role: string
  readonly content: string
}

function session(of: string): Message[] {
  return Array.from({ length: MESSAGES }, (_, i) => ({
    role: 'user',
    content: `${of} ${i}: ${WORDS.repeat(72)}`,
  }))
}

function bodyOf(messages: readonly Message[]): Buffer {
  return Buffer.from(JSON.stringify({ model: 'gpt-4o', messages }))
}

function cpuMs({ pid }: HeldYori): number {
  return usageOf(pid)?.cpuMs ?? NaN
}

/** Milliseconds of each turn, and the session as it then is. */
async function turns(
  yori: HeldYori,
  version: HttpVersion,
  { count, name }: { readonly count: number; readonly name: string },
): Promise<{ costs: number[]; messages: Message[] }> {
  const messages = session(name)
  const costs: number[] = []
  for (let turn = 1; turn <= count; turn++) {
    const before = cpuMs(yori)
    const status = await yori.ask({ body: bodyOf(messages) }, version)
    costs.push(cpuMs(yori) - before)
    if (status !== '200') {
      console.log(`${version}: turn ${turn}: ${status}`)
      process.exitCode = 1
    }
    messages.push({ role: 'assistant', content: 'ok' })
    messages.push({ role: 'user', content: `and what of ${turn}?` })
  }
  return { costs, messages }
}

async function measured(
  yori: HeldYori,
  version: HttpVersion,
  { count, sessions }: { readonly count: number; readonly sessions: number },
): Promise<void> {
  await turns(yori, version, { count, name: `${version}, first` })
  const all: number[][] = []
  let last: Message[] = []
  for (let i = 0; i < sessions; i++) {
    const name = `${version}, session ${i}`
    const { costs, messages } = await turns(yori, version, { count, name })
    all.push(costs)
    last = messages
  }
  const means = Array.from(
    { length: count },
    (_, turn) => all.reduce((sum, costs) => sum + (costs[turn] ?? NaN), 0) / sessions,
  )
  const ratio = (means.at(-1) ?? NaN) / (means[1] ?? NaN)
  if (!(ratio <= 2)) process.exitCode = 1
  const bytes = bodyOf(last).length
  console.log(
    `${version}: ${count} turns of ${bytes} bytes, ms of CPU, means of ${sessions} sessions: ${means.map(Math.round).join(' ')}; last to second: ${ratio.toFixed(2)}`,
  )
  const single = all.map((costs) =>
    ((costs.at(-1) ?? NaN) / (costs[1] ?? NaN)).toFixed(2),
  )
  console.log(`${version}: of each session: ${single.join(' ')}`)
  last[MESSAGES / 2] = { role: 'user', content: `my card is ${CARD}, and so on` }
  const status = await yori.ask({ body: bodyOf(last) }, version)
  console.log(`${version}: with a card number in its middle: ${status}`)
  if (!status.startsWith('403')) process.exitCode = 1
}

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '20' },
    sessions: { type: 'string', default: '8' },
  },
})
console.log(machine())
await using yori = await startHeld(SHIPPED)
const counts = { count: Number(values.turns), sessions: Number(values.sessions) }
for (const version of HTTP_VERSIONS) await measured(yori, version, counts)
