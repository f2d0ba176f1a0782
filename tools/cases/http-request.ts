/** A row's requests, sent to an origin through YORI: as they are, and in its name. */
import { isDeepStrictEqual } from 'node:util'
import { completed, NAME } from './http-row.js'
import type { HttpRow } from './http-row.js'
import { readRequests, readResponses } from './http-messages.js'
import type { Message, Read } from './http-messages.js'
import type { Difference } from './kind.js'
import type { Recorded, Wire } from './wire.js'

/** What a request that does not go on may be answered with. */
const REFUSALS: ReadonlySet<number> = new Set([400, 405, 413, 414, 421, 431, 501, 505])

interface Played {
  readonly sent: Buffer
  /** The strict reading of what was sent. */
  readonly read: Read
  /** What reached the origin. */
  readonly seen: readonly Read[]
  /** Statuses of the answers that the client got whole. */
  readonly answers: readonly number[]
  readonly answersRest: Read['rest']
  readonly closed: boolean
  readonly recorded: Recorded
}

interface Brief {
  readonly method: string
  readonly target: string
  readonly body: string
}

export async function playRequest(row: HttpRow, wire: Wire): Promise<Difference[]> {
  const asIs = completed(row.raw)
  const named = inOurName(asIs)
  const differences: Difference[] = []
  for (const [how, bytes] of [
    ['cut short', row.raw],
    ['as it is', asIs],
    ['in our name', named],
  ] as const) {
    const play = await played(bytes, wire)
    const found = [...unsafe(play), ...(how === 'in our name' ? verdict(row, play) : [])]
    differences.push(...found.map((each) => ({ ...each, what: `${each.what}, ${how}` })))
  }
  return differences
}

async function played(sent: Buffer, wire: Wire): Promise<Played> {
  const read = readRequests(sent)
  const methods = read.messages.map(({ start }) => start[0])
  wire.listen(({ start }, socket) => {
    const body = start[0] === 'HEAD' ? '' : 'answered'
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n${body}`)
  })
  const client = await wire.client(NAME)
  const answers = (): Read => readResponses(client.received, methods, client.closed)
  client.send(sent)
  // An unfinished message is not answered: then leaving is what ends it.
  const due = read.messages.length + (read.rest === 'malformed' ? 1 : 0)
  await client.until(() => finals(answers()).length >= due)
  const { closed } = client
  await client.end()
  const { rest } = answers()
  const recorded = await wire.recorded(client)
  const statuses = finals(answers())
  return {
    sent,
    read,
    seen: wire.seen,
    answers: statuses,
    answersRest: rest,
    closed,
    recorded,
  }
}

function finals(read: Read): number[] {
  return read.messages
    .map(({ start }) => Number(start[1]))
    .filter((status) => status >= 200 || status === 101)
}

/** What must hold whatever the bytes are. */
function unsafe(play: Played): Difference[] {
  const { read, recorded } = play
  const sent = read.messages.map(brief)
  const seen = arrived(play)
  const differences: Difference[] = []
  const smuggled = seen.filter((each, at) => !isDeepStrictEqual(each, sent[at]))
  if (smuggled.length > 0)
    differences.push({ what: 'what the origin saw', expected: sent, got: seen })
  const unfinished = play.seen.filter(({ rest }) => rest === 'malformed')
  if (unfinished.length > 0)
    differences.push({
      what: 'what else the origin saw',
      expected: 'whole messages',
      got: unfinished,
    })
  const rows = recorded.exchanges.map((row) => ({
    method: row['http_method'],
    target: row['http_path'],
    bytes: row['request_bytes'],
  }))
  const unrecorded = seen.filter((each) => {
    const bytes = Buffer.byteLength(each.body, 'latin1')
    const at = rows.findIndex((row) =>
      isDeepStrictEqual(row, { method: each.method, target: pathOf(each.target), bytes }),
    )
    if (at >= 0) rows.splice(at, 1)
    return at < 0
  })
  if (unrecorded.length > 0)
    differences.push({ what: 'not recorded', expected: [], got: unrecorded })
  const answered = recorded.exchanges.filter((row) => row['event_type'] === 'response')
  if (answered.length > seen.length)
    differences.push({
      what: 'recorded as answered',
      expected: seen.length,
      got: answered.length,
    })
  return differences
}

/** What the row's parser says, where it read by the rules and the bytes say the same. */
function verdict(row: HttpRow, play: Played): Difference[] {
  const { expected } = row
  const { read } = play
  const differences: Difference[] = []
  const check = (what: string, want: unknown, got: unknown): void => {
    if (!isDeepStrictEqual(want, got)) differences.push({ what, expected: want, got })
  }
  const seen = arrived(play)
  const refusal = play.answers.slice(seen.length)
  if (!expected.accepted && row.strict) {
    const most = Math.min(expected.messages_complete, read.messages.length)
    check('forwarded at most', true, seen.length <= most)
    check('begun at the origin', [], begun(play))
    const [status] = refusal
    const refused = status === undefined ? play.closed : REFUSALS.has(status)
    check('refused', true, refused || read.rest === 'incomplete')
    const good = play.answers.slice(0, most)
    if (read.messages.every(isOrdinary))
      check(
        'answers before',
        good.map(() => 200),
        good,
      )
    return differences
  }
  const sameCount = read.messages.length === expected.messages_complete
  const asked = read.messages.length > 0 && read.messages.every(isOrdinary)
  if (!row.strict || !sameCount || !asked) {
    check(
      'answers',
      true,
      refusal.every((status) => REFUSALS.has(status)),
    )
    return differences
  }
  const [first] = seen
  check('messages', expected.messages_complete, seen.length)
  if (typeof expected.method === 'string') check('method', expected.method, first?.method)
  if (typeof expected.url === 'string') check('target', expected.url, first?.target)
  if (expected.bodies !== undefined)
    check('bodies', flat(expected.bodies), flat(seen.map(({ body }) => body)))
  check(
    'answers',
    seen.map(() => 200),
    play.answers.slice(0, seen.length),
  )
  return differences
}

function arrived(play: Played): Brief[] {
  const all = play.seen.flatMap(({ messages }) => messages.map(brief))
  // Pipelined requests go up side by side; they are told apart by the order of sending.
  const order = play.read.messages.map(brief)
  const rank = (each: Brief): number => {
    const at = order.findIndex((sent) => isDeepStrictEqual(sent, each))
    return at < 0 ? order.length : at
  }
  return all.sort((a, b) => rank(a) - rank(b))
}

function begun(play: Played): Brief[] {
  return play.seen.flatMap(({ partial }) =>
    partial === undefined ? [] : [brief(partial)],
  )
}

/** A target that an intercepted provider can be asked for: everything else may be refused. */
function isOrdinary({ start, fields }: Message): boolean {
  const upgrade = fields.some(({ name }) => name.toLowerCase() === 'upgrade')
  const isHttp = start[2].startsWith('HTTP/')
  return start[1].startsWith('/') && start[0] !== 'CONNECT' && isHttp && !upgrade
}

function brief({ start, body }: Message): Brief {
  const target = start[1].replace(/^https:\/\/[^/?]*/, '')
  return { method: start[0], target, body: body.toString('latin1') }
}

const pathOf = (target: string): string => target.split('?', 1)[0] ?? ''
const flat = (bodies: readonly string[]): string => bodies.join('').replace(/[\r\n]/g, '')

/** Its end, that is: a body without a line end may stand before it. */
const REQUEST_LINE = /[A-Z-]+ [^\r\n]* [A-Z]+\/[0-9.]+[ \t]*\r?\n$/
const HOST_LINE = /^host[ \t]*:[^\r\n]*\r?\n/i

/** Each request line is followed by our `Host`; the row's own is left out. */
function inOurName(raw: Buffer): Buffer {
  const lines = raw.toString('latin1').split(/(?<=\n)/)
  const named = lines.flatMap((line) => {
    if (HOST_LINE.test(line)) return []
    return REQUEST_LINE.test(line) ? [line, `Host: ${NAME}\r\n`] : [line]
  })
  return Buffer.from(named.join(''), 'latin1')
}
