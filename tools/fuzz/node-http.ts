/** node:http over the loopback, as server and as client: what it makes of bytes. */
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface NodeMessage {
  /** A request's method; a response's status. */
  readonly first: string
  /** A request's target; a response's reason. */
  readonly second: string
  readonly fields: readonly string[]
  readonly trailers: readonly string[]
  readonly body: string
}

export interface NodeAsked {
  readonly input: Buffer
  readonly side: 'request' | 'response'
}

const AT_ONCE = 32
/** Longer than anything takes that is not stuck. */
const PATIENCE_MS = 10_000

/** For each input the messages that node:http took whole; of responses, the first final one. */
export async function askNode(
  all: readonly NodeAsked[],
): Promise<(readonly NodeMessage[])[]> {
  const answers: (readonly NodeMessage[])[] = []
  await using server = await Reading.open()
  await using client = await Answering.open()
  let next = 0
  const work = async (): Promise<void> => {
    for (;;) {
      const index = next++
      const asked = all[index]
      if (asked === undefined) return
      const side = asked.side === 'request' ? server : client
      answers[index] = await side.ask(asked.input)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return answers
}

/** A server that tells what it was asked. */
class Reading implements AsyncDisposable {
  readonly #server: Server
  readonly #seen = new Map<number, NodeMessage[]>()

  private constructor() {
    this.#server = createServer({ requireHostHeader: false, maxHeaderSize: 256 * 1024 })
    this.#server.keepAliveTimeout = 0
    const asked = (request: IncomingMessage, response: ServerResponse): void => {
      const told = this.#seen.get(request.socket.remotePort ?? 0)
      void wholeOf(request).then((message) => {
        if (message !== undefined) told?.push(message)
        response.end()
      })
    }
    this.#server.on('request', asked)
    this.#server.on('checkContinue', asked)
    this.#server.on('checkExpectation', asked)
    const switched = (request: IncomingMessage, socket: NodeJS.WritableStream): void => {
      const told = this.#seen.get(request.socket.remotePort ?? 0)
      told?.push({ ...headOf(request), trailers: [], body: '' })
      socket.end()
    }
    this.#server.on('connect', switched)
    this.#server.on('upgrade', switched)
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  static async open(): Promise<Reading> {
    const reading = new Reading()
    reading.#server.listen(0, '127.0.0.1')
    await once(reading.#server, 'listening')
    return reading
  }

  async ask(input: Buffer): Promise<readonly NodeMessage[]> {
    const { port } = this.#server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const told: NodeMessage[] = []
    const own = socket.localPort ?? 0
    this.#seen.set(own, told)
    await spent(socket, input)
    this.#seen.delete(own)
    return told
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** Sends all, then FIN, and waits for the end of the other side. */
async function spent(socket: Socket, input: Buffer): Promise<void> {
  socket.on('error', () => undefined)
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  socket.resume()
  const closed = once(socket, 'close')
  socket.end(input)
  await closed
}

/** A server by hand that answers with the input; the client is Node's. */
class Answering implements AsyncDisposable {
  readonly #server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (head: Buffer) => {
      const index = Number(/^GET \/([0-9]+)/.exec(head.toString('latin1'))?.[1])
      socket.end(this.#inputs.get(index) ?? '')
    })
  })
  readonly #inputs = new Map<number, Buffer>()
  #next = 0

  static async open(): Promise<Answering> {
    const answering = new Answering()
    answering.#server.listen(0, '127.0.0.1')
    await once(answering.#server, 'listening')
    return answering
  }

  async ask(input: Buffer): Promise<readonly NodeMessage[]> {
    const { port } = this.#server.address() as AddressInfo
    const index = this.#next++
    this.#inputs.set(index, input)
    try {
      return await this.#answer(port, index)
    } finally {
      this.#inputs.delete(index)
    }
  }

  #answer(port: number, index: number): Promise<readonly NodeMessage[]> {
    return new Promise((resolve) => {
      const asked = httpRequest({
        ...{ port, host: '127.0.0.1', path: `/${index}`, agent: false },
        ...{ maxHeaderSize: 256 * 1024, timeout: PATIENCE_MS },
      })
      asked.on('error', () => resolve([]))
      asked.on('timeout', () => asked.destroy())
      asked.on('upgrade', (_response, socket) => {
        socket.destroy()
        resolve([])
      })
      asked.on('response', (response) => {
        void wholeOf(response).then((message) => {
          resolve(message === undefined ? [] : [message])
          asked.destroy()
        })
      })
      asked.end()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
  }
}

/** Undefined: it did not come whole. */
function wholeOf(message: IncomingMessage): Promise<NodeMessage | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    message.on('data', (part: Buffer) => parts.push(part))
    message.on('error', () => resolve(undefined))
    message.on('close', () => {
      if (!message.complete) resolve(undefined)
    })
    message.on('end', () => {
      const body = Buffer.concat(parts).toString('latin1')
      const trailers = message.rawTrailers
      resolve(message.complete ? { ...headOf(message), trailers, body } : undefined)
    })
  })
}

function headOf(
  message: IncomingMessage,
): Pick<NodeMessage, 'first' | 'second' | 'fields'> {
  const { method, url, statusCode, statusMessage, rawHeaders } = message
  return {
    first: method ?? String(statusCode),
    second: method === undefined || method === null ? (statusMessage ?? '') : (url ?? ''),
    fields: rawHeaders,
  }
}
