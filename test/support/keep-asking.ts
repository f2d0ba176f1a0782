// Usage: node keep-asking.js ROOTS.pem HOST NAME [EVERY_MS [PATIENCE_MS]]
// Dials HOST:443 by TLS in that name, twenty times a second unless told, asks once on each
// connection, and prints a line of JSON an answer: when it was there (ms since 1970) and who signed
// the certificate, or what went wrong; `timeout` when nothing came for 2 s, or for as long as it is
// told. TERM: asks no more, and ends when all have been answered.
import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'

export interface Reached {
  readonly at: number
  readonly issuer?: string
  readonly error?: string
}

const [roots = '', host = '', name = '', every = '50', patience = '2000'] =
  process.argv.slice(2)
const ca = readFileSync(roots)

function ask(): void {
  let told = false
  const tell = (reached: Omit<Reached, 'at'>): void => {
    if (told) return
    told = true
    console.log(JSON.stringify({ at: Date.now(), ...reached }))
    socket.destroy()
  }
  const socket = connect({ host, port: 443, servername: name, ca })
  socket.setTimeout(Number(patience), () => tell({ error: 'timeout' }))
  socket.on('error', (error: NodeJS.ErrnoException) =>
    tell({ error: error.code ?? error.message }),
  )
  socket.on('close', () => tell({ error: 'closed' }))
  socket.on('data', () =>
    tell({ issuer: String(socket.getPeerCertificate().issuer?.CN) }),
  )
  socket.write(`GET /v1/models HTTP/1.1\r\nhost: ${name}\r\n\r\n`)
}

const asking = setInterval(ask, Number(every))
process.on('SIGTERM', () => clearInterval(asking))
