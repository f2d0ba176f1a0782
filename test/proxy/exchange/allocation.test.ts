/**
 * What a warm exchange allocates, and how often its garbage is collected: figures that are the
 * same on any machine and at any load, unlike times. The origin is the bench's.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { allocatedDuring, HEAP_PROBED } from '../../../tools/bench/allocations.js'
import { RESPONSE_BODY } from '../../../tools/bench/jobs.js'
import type { Target } from '../../../tools/bench/jobs.js'
import { requestFor } from '../../../tools/bench/load/connections.js'
import { ResponseReader } from '../../../tools/bench/load/response-reader.js'
import { startProgram } from '../../../tools/bench/programs.js'
import { YoriProcess } from '../../../tools/dev/yori-process.js'
import { connectThroughProxy, rawTlsClient } from '../../support/clients.js'
import { tempFolder } from '../../support/temp-folder.js'

const HOST = 'api.openai.com'
const CONNECTIONS = 8
/** Before them code is not optimised, and what it learns of types is allocated. */
const WARMING = 1200
const REQUESTS = 800
/** Where the machine is busy, V8 optimises late: as many are measured until one is warm. */
const WINDOWS = 5
/** Of JavaScript's heap: an eighth above what one takes. */
const MOST_BYTES = 38 * 1024
/** Of those, what is taken for long-lived: a session, and what is under way; twice what it is. */
const MOST_OLD_BYTES = 1400
/** With 4 MB of young space: nearly twice what one takes, since few are counted. */
const MOST_SCAVENGES_PER_1000 = 16

async function client(target: Target): Promise<TLSSocket> {
  const socket = await connectThroughProxy(target.proxyPort ?? 0, HOST, 443)
  return await rawTlsClient({ socket, servername: HOST, ca: target.caPem })
}

/** One request after the other on each of them, until so many have been answered. */
async function ask(clients: readonly TLSSocket[], bytes: Buffer, count: number) {
  let left = count
  await Promise.all(
    clients.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          const reader = new ResponseReader(RESPONSE_BODY)
          const lost = (): void => reject(new Error('a connection was lost'))
          const next = (): void => {
            if (left-- > 0) {
              socket.write(bytes)
              return
            }
            socket.off('data', read)
            socket.off('close', lost)
            resolve()
          }
          const read = (chunk: Buffer): void => {
            try {
              if (reader.push(chunk) > 0) next()
            } catch (cause) {
              reject(cause instanceof Error ? cause : new Error(String(cause)))
            }
          }
          socket.on('data', read)
          socket.on('close', lost)
          next()
        }),
    ),
  )
}

describe('an exchange', () => {
  it('allocates little, and its garbage is collected rarely', async () => {
    await using folder = await tempFolder('yori-allocation-')
    await using origin = startProgram('load', 'origin.js')
    const direct = (await origin.line()) as Target
    const probe = join(folder.path, 'probe')
    await using yori = await YoriProcess.start({
      folder: folder.path,
      launcher: ['env', `YORI_HEAP_PROBE=${probe}`, ...HEAP_PROBED],
      extraCaPem: direct.caPem,
      resolve: { [HOST]: `127.0.0.1:${direct.originPort}` },
      config: { endpoints: [{ domain: HOST }] },
    })
    const caPem = await yori.caPem()
    const target = { ...direct, host: HOST, caPem, proxyPort: yori.port }
    const clients = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => client(target)),
    )
    try {
      const request = requestFor(target)
      await ask(clients, request, WARMING)
      const window = () => allocatedDuring(probe, () => ask(clients, request, REQUESTS))
      let least = await window()
      for (let more = 1; more < WINDOWS && least.bytes / REQUESTS >= MOST_BYTES; more++) {
        const next = await window()
        if (next.bytes < least.bytes) least = next
      }
      const { bytes, scavenges, grownOld } = least
      const each = bytes / REQUESTS
      assert.ok(each < MOST_BYTES, `${Math.round(each)} bytes a request`)
      // The probe counts: nothing allocates nothing.
      assert.ok(each > 1024, `${Math.round(each)} bytes a request`)
      const old = grownOld / REQUESTS
      assert.ok(old < MOST_OLD_BYTES, `${Math.round(old)} bytes a request grew old`)
      const rate = (scavenges / REQUESTS) * 1000
      assert.ok(rate < MOST_SCAVENGES_PER_1000, `${rate} scavenges`)
    } finally {
      for (const socket of clients) socket.destroy()
    }
  })
})
