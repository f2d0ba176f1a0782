/**
 * What the side of a processor is told, as its handlers may rely on it: a field of another kind
 * than the protocol has is no event, and reaches none of them. Pure.
 */

/** Fields by their names, each with its values. */
export type Headers = Readonly<Record<string, readonly string[]>>

/** Every field is what it says, or its empty value where it was not told. */
export interface Told {
  /** As it was told. */
  readonly event: Readonly<Record<string, unknown>>
  readonly id: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly method: string
  readonly uri: string
  readonly headers: Headers
  readonly status: number
  /** Of a chunk, out of its base64. */
  readonly bytes: Buffer
  readonly isLast: boolean
  readonly index: number
}

/** What came is no event of the protocol. */
export class NoEvent extends Error {
  override readonly name = 'NoEvent'
}

/** Of the payload of a frame. @throws NoEvent */
export function readTold(payload: Buffer): Told {
  const event = record(parsed(payload), 'the event')
  const metadata = record(event['metadata'] ?? {}, 'metadata')
  const id = event['correlation_id'] ?? metadata['correlation_id'] ?? ''
  return {
    event,
    id: text(id, 'correlation_id'),
    metadata,
    method: text(event['method'] ?? '', 'method'),
    uri: text(event['uri'] ?? '', 'uri'),
    headers: headers(event['headers'] ?? {}),
    status: whole(event['status'] ?? 0, 'status'),
    bytes: Buffer.from(text(event['data'] ?? '', 'data'), 'base64'),
    isLast: event['is_last'] === true,
    index: whole(event['chunk_index'] ?? 0, 'chunk_index'),
  }
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString()) as unknown
  } catch {
    throw new NoEvent('the event is no JSON')
  }
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new NoEvent(`${what} is no object`)
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw new NoEvent(`${what} is no text`)
}

function whole(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new NoEvent(`${what} is no whole number`)
}

function headers(value: unknown): Headers {
  const named = record(value, 'headers')
  for (const [name, values] of Object.entries(named))
    if (!Array.isArray(values) || !values.every((one) => typeof one === 'string'))
      throw new NoEvent(`the field ${JSON.stringify(name)} is no list of texts`)
  return named as Headers
}
