/** YORI before one origin in a provider's name: what most tests of the pipeline stand on. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestListener } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../src/core/clock.js'
import { startOrigin } from './origins.js'
import type { Origin } from './origins.js'
import { readUntil } from './streams.js'
import { TestCa } from './test-ca.js'
import { Yori } from './yori.js'
import type { Row } from './yori.js'

export const NAME = 'api.openai.com'
/** YORI trusts it; its certificate is for `NAME`. */
export const originCa = new TestCa()
export const certificate = originCa.issue({ names: [NAME] })

export interface Proxied extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: Origin
}

export async function behind(
  handler: RequestListener,
  config: Record<string, unknown> = {},
  clock?: Clock,
): Promise<Proxied> {
  return joined(await startOrigin({ certificate, handler }), config, clock)
}

export async function joined(
  origin: Origin,
  config: Record<string, unknown> = {},
  clock?: Clock,
): Promise<Proxied> {
  const yori = await Yori.start({
    origins: { [NAME]: origin },
    trust: [originCa],
    config,
    ...(clock === undefined ? {} : { clock }),
  })
  return {
    yori,
    origin,
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

/** Writes raw bytes and gives what comes back until `enough`. */
export async function ask(
  socket: TLSSocket,
  text: string,
  enough: (soFar: string) => boolean = (soFar) => soFar.includes('\r\n\r\n'),
): Promise<string> {
  socket.write(text, 'latin1')
  const bytes = await readUntil(socket, (soFar) => enough(soFar.toString('latin1')))
  return bytes.toString('latin1')
}

export function get(path: string, ...fields: string[]): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${NAME}`, ...fields, '', ''].join('\r\n')
}

export function disposable<S extends TLSSocket>(stream: S): Disposable & { stream: S } {
  stream.on('error', () => undefined)
  return { stream, [Symbol.dispose]: () => stream.destroy() }
}

/** Asks again until it holds; bounded by the test's time. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  // Rarely and then more rarely: who looks all the time takes the machine from what it waits for.
  for (let ms = 1; !(await holds()); ms = Math.min(2 * ms, LONGEST_PAUSE_MS))
    await sleep(ms)
}

const LONGEST_PAUSE_MS = 20

/** The exchanges, once `count` of them have ended. */
export async function endedExchanges(yori: Yori, count: number): Promise<Row[]> {
  let rows: Row[] = []
  await until(async () => {
    rows = (await yori.rows('exchanges')).filter((row) => row['event_type'] !== 'request')
    return rows.length >= count
  })
  return rows
}
