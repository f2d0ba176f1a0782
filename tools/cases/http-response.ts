/** A row's response, sent by an origin: what does the client get, and what comes after it? */
import { isDeepStrictEqual } from 'node:util'
import { completed, NAME } from './http-row.js'
import type { HttpRow } from './http-row.js'
import { readResponses } from './http-messages.js'
import type { Message, Read } from './http-messages.js'
import type { Difference } from './kind.js'
import type { Wire } from './wire.js'

const ASK = Buffer.from(`GET /v1/models HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)
const ASK_AGAIN = Buffer.from(`GET /v1/files HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)
const MARK = 'the second answer'

export async function playResponse(row: HttpRow, wire: Wire): Promise<Difference[]> {
  const differences: Difference[] = []
  for (const [how, bytes] of [
    ['cut short', row.raw],
    ['as it is', completed(row.raw)],
  ] as const) {
    const found = await played(row, { bytes, binding: how === 'as it is' }, wire)
    differences.push(...found.map((each) => ({ ...each, what: `${each.what}, ${how}` })))
  }
  return differences
}

interface Sent {
  readonly bytes: Buffer
  /** The row's verdict is about these bytes. */
  readonly binding: boolean
}

async function played(row: HttpRow, sent: Sent, wire: Wire): Promise<Difference[]> {
  const { bytes } = sent
  const still = readResponses(bytes, ['GET'], false)
  // Without an end of its own, the end of the connection ends it.
  const closes = finals(still).length === 0
  wire.listen(({ start }, socket) => {
    if (start[1] !== '/v1/models') {
      const fields = `Content-Length: ${MARK.length}\r\nConnection: close`
      socket.end(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${MARK}`)
    } else if (closes) socket.end(bytes)
    else socket.write(bytes)
  })
  const client = await wire.client(NAME)
  client.send(ASK)
  const got = (): Read => readResponses(client.received, ['GET', 'GET'], client.closed)
  const inTime = await client.until(() => finals(got()).length > 0)
  const first = finals(got())[0]
  if (!client.closed) {
    client.send(ASK_AGAIN)
    await client.until(() => finals(got()).length > 1)
  }
  await client.end()
  const { exchanges } = await wire.recorded(client)

  const differences: Difference[] = []
  const check = (what: string, want: unknown, is: unknown): void => {
    if (!isDeepStrictEqual(want, is)) differences.push({ what, expected: want, got: is })
  }
  const whole = readResponses(bytes, ['GET'], closes)
  const [meant] = finals(whole)
  const answers = finals(got())
  check('answered or closed in time', true, inTime)
  check(
    'smuggled',
    [],
    answers
      .slice(1)
      .map(brief)
      .filter((each) => each.body !== MARK),
  )
  const refused = first === undefined || first.start[1] === '502'
  const accepted = meant !== undefined && row.expected.accepted && row.strict
  if (accepted && sent.binding) check('answer', brief(meant), first && brief(first))
  else if (!refused) check('answer', meant && brief(meant), brief(first))
  if (!row.expected.accepted && row.strict && sent.binding && meant === undefined)
    check('refused', true, refused)
  if (first !== undefined)
    check('recorded status', Number(first.start[1]), exchanges[0]?.['response_status'])
  return differences
}

function finals(read: Read): Message[] {
  return read.messages.filter(({ start }) => Number(start[1]) >= 200)
}

function brief({ start, body }: Message): { status: string; body: string } {
  return { status: start[1], body: body.toString('latin1') }
}
