/** gRPC through YORI, HTTP/2 on both sides: @grpc/grpc-js is client and provider. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Metadata, status } from '@grpc/grpc-js'
import type {
  Client,
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServiceError,
  StatusObject,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { grpcClient, startGrpcOrigin, WORDS } from '../../support/grpc.js'
import type { GrpcOrigin } from '../../support/grpc.js'
import { beforeH2 } from '../../support/h2-origin.js'
import { certificate, endedExchanges, NAME, until } from '../../support/proxied.js'
import type { Yori } from '../../support/yori.js'

type Bytes = Buffer

const say: handleUnaryCall<Bytes, Bytes> = (call, done) => {
  const word = call.request.toString()
  if (word === 'fail') {
    const metadata = new Metadata()
    metadata.set('x-why', 'asked')
    done({ code: status.FAILED_PRECONDITION, details: 'nöt now: 100 %', metadata })
    return
  }
  const head = new Metadata()
  head.set('x-heard', String(call.metadata.get('x-said')[0] ?? ''))
  call.sendMetadata(head)
  const trailer = new Metadata()
  trailer.set('x-sum', '7')
  done(null, Buffer.from(`said ${word}`), trailer)
}

const count: handleServerStreamingCall<Bytes, Bytes> = (call) => {
  for (let i = 0; i < Number(call.request.toString()); i++)
    call.write(Buffer.from(`${i}`))
  call.end()
}

const gather: handleClientStreamingCall<Bytes, Bytes> = (call, done) => {
  const words: string[] = []
  call.on('data', (word: Bytes) => words.push(word.toString()))
  call.on('end', () => done(null, Buffer.from(words.join(' '))))
}

const talk: handleBidiStreamingCall<Bytes, Bytes> = (call) => {
  call.on('data', (word: Bytes) => call.write(Buffer.from(`re: ${word.toString()}`)))
  call.on('end', () => call.end())
  call.on('error', () => undefined)
}

interface Setup extends AsyncDisposable {
  readonly yori: Yori
  readonly origin: GrpcOrigin
  readonly client: Client
}

async function between(
  service: UntypedServiceImplementation = {},
  config: Record<string, unknown> = {},
): Promise<Setup> {
  const all = { Say: say, Count: count, Gather: gather, Talk: talk, ...service }
  const origin = await startGrpcOrigin(certificate, all)
  const before = await beforeH2(origin, config)
  const { yori } = before
  const client = grpcClient(`127.0.0.1:${yori.port}`, NAME, yori.rootPem)
  return {
    yori,
    origin,
    client,
    async [Symbol.asyncDispose]() {
      client.close()
      await before[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

interface Said {
  readonly error: ServiceError | null
  readonly text: string | undefined
  readonly head: Metadata | undefined
  readonly end: StatusObject
}

function ask(client: Client, word: string, metadata = new Metadata()): Promise<Said> {
  const { path, requestSerialize, responseDeserialize } = WORDS.Say
  return new Promise((resolve) => {
    let head: Metadata | undefined
    let answer: { error: ServiceError | null; text: string | undefined } | undefined
    const call = client.makeUnaryRequest(
      ...([path, requestSerialize, responseDeserialize] as const),
      ...([Buffer.from(word), metadata] as const),
      (error, value) => {
        answer = { error, text: value?.toString() }
      },
    )
    call.on('metadata', (found: Metadata) => (head = found))
    call.on('status', (end: StatusObject) => {
      setImmediate(() => resolve({ error: null, text: undefined, ...answer, head, end }))
    })
  })
}

function counting(client: Client, to: string) {
  const { path, requestSerialize, responseDeserialize } = WORDS.Count
  const call = client.makeServerStreamRequest(
    ...([path, requestSerialize, responseDeserialize] as const),
    Buffer.from(to),
  )
  call.on('error', () => undefined)
  return call
}

function talking(client: Client) {
  const { path, requestSerialize, responseDeserialize } = WORDS.Talk
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  call.on('error', () => undefined)
  return call
}

describe('a gRPC call', () => {
  it('is answered with its metadata, head and trailers', async () => {
    await using setup = await between()
    const metadata = new Metadata()
    metadata.set('x-said', 'hello')
    const said = await ask(setup.client, 'word', metadata)
    assert.equal(said.text, 'said word')
    assert.deepEqual(said.head?.get('x-heard'), ['hello'])
    assert.deepEqual(said.end.metadata.get('x-sum'), ['7'])
    assert.equal(said.end.code, status.OK)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'response')
    assert.equal(row['http_path'], '/test.Words/Say')
    assert.equal(row['http_version'], '2.0')
    assert.equal(row['uninspectable'], 'unknown-api')
    setup.client.close()
    await until(async () => (await setup.yori.rows('connections')).length === 1)
    const [connection] = await setup.yori.rows('connections')
    assert.equal(connection?.['coverage'], 'inspected')
  })

  it('that fails brings its status and message', async () => {
    await using setup = await between()
    const said = await ask(setup.client, 'fail')
    assert.equal(said.error?.code, status.FAILED_PRECONDITION)
    assert.equal(said.error.details, 'nöt now: 100 %')
    assert.deepEqual(said.error.metadata.get('x-why'), ['asked'])
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['reason'], 'gRPC status 9: nöt now: 100 %')
  })

  it('to nobody who knows it brings UNIMPLEMENTED, in one head', async () => {
    await using setup = await between()
    const { requestSerialize, responseDeserialize } = WORDS.Say
    const error = await new Promise<ServiceError | null>((resolve) => {
      setup.client.makeUnaryRequest(
        ...(['/test.Words/None', requestSerialize, responseDeserialize] as const),
        Buffer.from('x'),
        (failed) => resolve(failed),
      )
    })
    assert.equal(error?.code, status.UNIMPLEMENTED)
  })

  it('streams down, up and both ways in turns', async () => {
    await using setup = await between()
    const down: string[] = []
    for await (const word of counting(setup.client, '500')) down.push(String(word))
    assert.deepEqual(
      down,
      Array.from({ length: 500 }, (_, i) => `${i}`),
    )

    const { path, requestSerialize, responseDeserialize } = WORDS.Gather
    const gathered = await new Promise<string | undefined>((resolve) => {
      const call = setup.client.makeClientStreamRequest(
        ...([path, requestSerialize, responseDeserialize] as const),
        (_error, value) => resolve(value?.toString()),
      )
      for (const word of ['a', 'b', 'c']) call.write(Buffer.from(word))
      call.end()
    })
    assert.equal(gathered, 'a b c')

    const call = talking(setup.client)
    for (const word of ['one', 'two', 'three']) {
      const heard = once(call, 'data')
      call.write(Buffer.from(word))
      const [answer] = (await heard) as [Bytes]
      assert.equal(answer.toString(), `re: ${word}`)
    }
    const ended = once(call, 'status')
    call.resume().end()
    const [end] = (await ended) as [StatusObject]
    assert.equal(end.code, status.OK)
  })

  it('carries messages of megabytes', async () => {
    await using setup = await between()
    const call = talking(setup.client)
    const large = Buffer.alloc(3 * 1024 * 1024, 'x')
    const heard = once(call, 'data')
    call.write(large)
    const [answer] = (await heard) as [Bytes]
    assert.equal(answer.length, large.length + 4)
    call.end()
  })

  it('is one of a hundred at once', async () => {
    let open = 0
    let release: () => void = () => undefined
    const all = new Promise<void>((resolve) => (release = resolve))
    const waiting: handleUnaryCall<Bytes, Bytes> = (call, done) => {
      if (++open === 100) release()
      void all.then(() => done(null, call.request))
    }
    await using setup = await between({ Say: waiting })
    const asked = Array.from({ length: 100 }, (_, i) => ask(setup.client, `${i}`))
    const answers = await Promise.all(asked)
    assert.deepEqual(
      answers.map(({ text }) => text),
      Array.from({ length: 100 }, (_, i) => `${i}`),
    )
  })

  it('that the client gives up is given up at the provider', async () => {
    let cancelled = 0
    const waiting: handleServerStreamingCall<Bytes, Bytes> = (call) => {
      call.on('cancelled', () => cancelled++)
      call.write(Buffer.from('first'))
    }
    await using setup = await between({ Count: waiting })
    const call = counting(setup.client, '1')
    await once(call, 'data')
    call.cancel()
    await until(() => cancelled === 1)
    assert.equal((await ask(setup.client, 'on')).text, 'said on')
    const rows = await endedExchanges(setup.yori, 2)
    assert.equal(rows[0]?.['code'], 'YORI_CLIENT_GONE')
  })

  it('has its deadline', async () => {
    await using setup = await between({ Say: () => undefined })
    const { path, requestSerialize, responseDeserialize } = WORDS.Say
    const error = await new Promise<ServiceError | null>((resolve) => {
      setup.client.makeUnaryRequest(
        ...([path, requestSerialize, responseDeserialize] as const),
        ...([Buffer.from('x'), new Metadata(), { deadline: Date.now() + 300 }] as const),
        (failed) => resolve(failed),
      )
    })
    assert.equal(error?.code, status.DEADLINE_EXCEEDED)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['code'], 'YORI_CLIENT_GONE')
  })

  it('that the client reads slowly holds the provider back, and no other call', async () => {
    let written = 0
    const pouring: handleServerStreamingCall<Bytes, Bytes> = (call) => {
      const piece = Buffer.alloc(64 * 1024)
      const pour = (): void => {
        while (written < 64 * 1024 * 1024 && !call.cancelled) {
          written += piece.length
          if (!call.write(piece)) return void call.once('drain', pour)
        }
      }
      pour()
    }
    await using setup = await between({ Count: pouring })
    const call = counting(setup.client, '1')
    await once(call, 'metadata')
    call.pause()
    let before = -1
    while (before !== written) {
      before = written
      await ask(setup.client, 'meanwhile')
    }
    assert.ok(written < 8 * 1024 * 1024, `${written} bytes were taken`)
    call.cancel()
  })

  it('ends as UNAVAILABLE when the provider cannot be reached', async () => {
    await using setup = await between()
    setup.origin.server.forceShutdown()
    const said = await ask(setup.client, 'word')
    assert.equal(said.error?.code, status.UNAVAILABLE)
    assert.match(said.error.details, /YORI/)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'error')
  })

  it('that a policy blocks ends as PERMISSION_DENIED with the reason', async () => {
    let reached = 0
    const counted: handleUnaryCall<Bytes, Bytes> = (call, done) => {
      reached++
      done(null, call.request)
    }
    await using setup = await between(
      { Say: counted },
      {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { default: { enabled: true, action: 'block' } } },
      },
    )
    const said = await ask(setup.client, 'word')
    assert.equal(said.error?.code, status.PERMISSION_DENIED)
    assert.match(said.error.details, /^Blocked by YORI, policy default: /)
    assert.equal(reached, 0)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['event_type'], 'block')
  })
})
