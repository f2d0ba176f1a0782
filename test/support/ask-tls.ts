// Usage: node ask-tls.js ROOTS.pem '[{"host":"192.0.2.1","name":"api.example.com"}]'
// Dials each host at 443 by TLS in that name, asks `GET /v1/models`, and prints a line of JSON:
// who signed the certificate and what was answered, or what went wrong. With "stay" it keeps
// the connection and asks again on it at each SIGUSR1.
import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { PATIENCE_MS } from './patience.js'

export interface Ask {
  readonly host: string
  readonly name: string
  /** The client's own address. */
  readonly from?: string
  readonly stay?: true
}

export interface Answered {
  /** Common name of the issuer of the certificate that was shown. */
  readonly issuer?: string
  /** What the server said: the name and the address that it saw. */
  readonly said?: { readonly name: string; readonly from: string }
  readonly error?: string
}

const [roots = '', asks = '[]'] = process.argv.slice(2)
const ca = readFileSync(roots)

/** One connection, and one answer at a time. */
class Asker {
  readonly #ask: Ask
  readonly #socket: TLSSocket
  #text = ''
  #told: ((answered: Answered) => void) | undefined

  constructor(ask: Ask) {
    this.#ask = ask
    const local = ask.from === undefined ? {} : { localAddress: ask.from }
    const { host, name } = ask
    this.#socket = connect({ host, port: 443, servername: name, ca, ...local })
    this.#socket.setTimeout(PATIENCE_MS, () => this.#tell({ error: 'timeout' }))
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#tell({ error: error.code ?? error.message }),
    )
    this.#socket.on('close', () => this.#tell({ error: 'closed' }))
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  request(): Promise<Answered> {
    this.#text = ''
    this.#socket.write(`GET /v1/models HTTP/1.1\r\nhost: ${this.#ask.name}\r\n\r\n`)
    return new Promise((resolve) => (this.#told = resolve))
  }

  end(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#text += chunk.toString()
    const said = /\r\n\r\n(?:[0-9a-f]+\r\n)?(\{.*\})/s.exec(this.#text)?.[1]
    if (said === undefined) return
    const issuer = this.#socket.getPeerCertificate().issuer.CN
    this.#tell({
      issuer: String(issuer),
      said: JSON.parse(said) as { name: string; from: string },
    })
  }

  #tell(answered: Answered): void {
    this.#told?.(answered)
    this.#told = undefined
  }
}

const say = (answered: Answered): void => console.log(JSON.stringify(answered))
for (const ask of JSON.parse(asks) as readonly Ask[]) {
  const asker = new Asker(ask)
  say(await asker.request())
  if (ask.stay === true) process.on('SIGUSR1', () => void asker.request().then(say))
  else asker.end()
}
