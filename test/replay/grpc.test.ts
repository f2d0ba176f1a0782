/** Calls of gRPC are recorded and come again with their trailers: @grpc/grpc-js at both ends. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Metadata, status } from '@grpc/grpc-js'
import type { Client, ServerWritableStream, ServiceError } from '@grpc/grpc-js'
import { grpcClient, startGrpcOrigin, WORDS } from '../support/grpc.js'
import { certificate, NAME, originCa } from '../support/proxied.js'
import { providerOf, startRecorder } from '../support/recorded.js'
import { tempFolder } from '../support/temp-folder.js'
import { Yori } from '../support/yori.js'

interface Heard {
  readonly words: readonly string[]
  readonly code: number
  readonly details: string
  readonly sum: string
}

const { path, requestSerialize, responseDeserialize } = WORDS.Count

/** A stream of the server, to its status. */
async function hear(client: Client, word: string): Promise<Heard> {
  const call = client.makeServerStreamRequest(
    ...([path, requestSerialize, responseDeserialize, Buffer.from(word)] as const),
  )
  const words: string[] = []
  call.on('data', (bytes: Buffer) => words.push(bytes.toString()))
  call.on('error', (_error: ServiceError) => undefined)
  return await new Promise((resolve) => {
    call.on('status', ({ code, details, metadata }) => {
      resolve({ words, code, details, sum: String(metadata.get('x-sum')[0] ?? '') })
    })
  })
}

describe('a recording of gRPC', function () {
  this.timeout(60_000)
  it('gives again messages, status and trailers, and misses other messages', async () => {
    const recorder = startRecorder()
    const live: Heard[] = []
    await using folder = await tempFolder()
    writeFileSync(
      folder.file('catalogue.yaml'),
      'providers:\n  - { name: openai, upstream: h2 }\n',
    )
    {
      await using origin = await startGrpcOrigin(certificate, {
        Say: () => undefined,
        Gather: () => undefined,
        Talk: () => undefined,
        Count: (call: ServerWritableStream<Buffer, Buffer>) => {
          const trailer = new Metadata()
          trailer.set('x-sum', '7')
          if (call.request.toString() === 'fail') {
            const details = 'nöt now: 100 %'
            call.emit('error', { code: status.FAILED_PRECONDITION, details })
            return
          }
          for (const word of ['eins', 'zwei', 'drei']) call.write(Buffer.from(word))
          call.end(trailer)
        },
      })
      await using yori = await Yori.start({
        origins: { [NAME]: origin },
        trust: [originCa],
        config: { catalogue: { file: folder.file('catalogue.yaml') } },
        observers: [recorder.observer],
      })
      using client = grpcClient(`127.0.0.1:${yori.port}`, NAME, yori.rootPem)
      for (const word of ['count', 'fail']) live.push(await hear(client, word))
    }
    assert.deepEqual(live, [
      { words: ['eins', 'zwei', 'drei'], code: status.OK, details: 'OK', sum: '7' },
      {
        ...{ words: [], code: status.FAILED_PRECONDITION },
        ...{ details: 'nöt now: 100 %', sum: '' },
      },
    ])
    const recordings = await recorder.stop()
    assert.deepEqual(recorder.leftOut, [])
    const trailers = Object.fromEntries(recordings[0]?.response?.trailers ?? [])
    assert.equal(trailers['grpc-status'], '0')
    assert.equal(trailers['x-sum'], '7')

    await using replaying = await Yori.start({ provider: providerOf(recordings) })
    using client = grpcClient(`127.0.0.1:${replaying.port}`, NAME, replaying.rootPem)
    for (const word of ['fail', 'count'])
      assert.deepEqual(await hear(client, word), live[word === 'count' ? 0 : 1])
    const missed = await hear(client, 'never')
    assert.notEqual(missed.code, status.OK)
    assert.match(missed.details, /no recording answers .*none with this body/)
  })
})
