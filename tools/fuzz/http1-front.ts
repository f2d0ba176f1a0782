/**
 * Requests through the front towards clients: what it tells is what the codec read, and what
 * is written for a provider from that is, to llhttp, one message with the same body.
 */
import { requestHead } from '../../src/http/h1/write.js'
import { readRequestHead } from '../../src/http/head.js'
import { FrontAlone, tell, turns } from '../../test/support/h1-front.js'
import type { Asked } from '../../test/support/h1-front.js'
import type { H1Message, LIMITS } from '../../test/support/h1-read.js'
import type { Llhttp } from './llhttp.js'

const MAX_TURNS = 10_000

export interface FrontInput {
  readonly input: Buffer
  /** Where it is cut in two. */
  readonly cut: number
  /** The messages that are in it, up to the last after which nobody reads on. */
  readonly ours: readonly H1Message[]
  readonly limits: typeof LIMITS
  readonly llhttp: Llhttp
}

/** What is wrong; undefined: nothing. */
export async function throughFront(given: FrontInput): Promise<string | undefined> {
  const { input, cut, ours, limits, llhttp } = given
  const front = new FrontAlone(tell, limits.maxHeadBytes)
  const socket = front.open()
  socket.arrive(input.subarray(0, cut))
  await turns(1)
  socket.arrive(input.subarray(cut))
  const isQuiet = (): boolean => front.asked.every(({ response }) => response.destroyed)
  await turns(2)
  for (let i = 0; i < MAX_TURNS && !isQuiet(); i++) {
    const { length } = front.asked
    await turns(2)
    // One that is not whole waits for ever.
    if (front.asked.length === length && front.asked.at(-1)?.whole === false) break
  }
  const whole = front.asked.filter(({ whole }) => whole)
  const answers = socket.written.match(/HTTP\/1\.1 200 /g)?.length ?? 0
  socket.destroy()
  const expected = ours.filter(({ start, upgrade }) => !upgrade && start[0] !== 'CONNECT')
  if (whole.length !== expected.length)
    return `${whole.length} requests where there are ${expected.length}`
  if (answers !== whole.length) return `${answers} answers to ${whole.length} requests`
  for (const [at, asked] of whole.entries()) {
    const message = expected[at]
    if (message === undefined || !isSame(asked, message)) return `request ${at} differs`
    const wrong = goesUp(asked, llhttp)
    if (wrong !== undefined) return `request ${at} goes up as ${wrong}`
  }
  return undefined
}

function isSame({ request, body }: Asked, { start, ...message }: H1Message): boolean {
  const mine = [request.method, request.url, `HTTP/${request.httpVersion}`]
  return (
    JSON.stringify([mine, request.rawHeaders, body, request.rawTrailers]) ===
    JSON.stringify([start, message.fields, message.body, message.trailers])
  )
}

function goesUp({ request, body }: Asked, llhttp: Llhttp): string | undefined {
  const { fields } = readRequestHead(request.rawHeaders)
  const line = { method: request.method ?? '', target: request.url ?? '', host: 'a.test' }
  const bytes = Buffer.from(body, 'latin1')
  const head = requestHead(line, fields, { kind: 'length', bytes: bytes.length })
  const { messages, refused } = llhttp.read(
    Buffer.concat([Buffer.from(head, 'latin1'), bytes]),
    'request',
  )
  const [only] = messages
  const isOne =
    messages.length === 1 &&
    refused === undefined &&
    only?.complete === true &&
    only.first === line.method &&
    only.second === line.target &&
    only.body === body
  return isOne ? undefined : JSON.stringify({ messages, refused })
}
