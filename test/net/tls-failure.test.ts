/**
 * What alerts of a client mean, as the OpenSSL of this Node names them: each is sent over a real
 * socket, by its number in RFC 8446 §6.2.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls, createServer } from 'node:tls'
import {
  blamesClock,
  clientRefusal,
  refusalCause,
  upstreamFailure,
} from '../../src/net/tls-failure.js'
import { TestCa } from '../support/test-ca.js'

const ALERTS: readonly (readonly [number, string, boolean])[] = [
  [42, 'bad_certificate', true],
  [43, 'unsupported_certificate', true],
  [44, 'certificate_revoked', true],
  [45, 'certificate_expired', true],
  [46, 'certificate_unknown', true],
  [48, 'unknown_ca', true],
  [40, 'handshake_failure', false],
  [49, 'access_denied', false],
  [51, 'decrypt_error', false],
]

/** Of TLS 1.2, where an alert before the keys are there is not encrypted. */
async function hello(): Promise<Buffer> {
  let tell: (bytes: Buffer) => void = () => undefined
  const first = new Promise<Buffer>((resolve) => (tell = resolve))
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      tell(chunk)
      done()
    },
  })
  const client = connectTls({ socket, maxVersion: 'TLSv1.2', servername: 'a.example' })
  client.on('error', () => undefined)
  const bytes = await first
  client.destroy()
  return bytes
}

describe('an alert of a client', () => {
  for (const [number, name, isRefusal] of ALERTS)
    it(`is understood: ${name}`, async () => {
      const ca = new TestCa()
      const { keyPem: key, certificatePem: cert } = ca.issue({ names: ['a.example'] })
      const server = createServer({ key, cert })
      try {
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        const failed = once(server, 'tlsClientError') as Promise<[Error]>
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
        socket.on('error', () => undefined)
        socket.write(await hello())
        await once(socket, 'data')
        socket.write(Buffer.from([21, 3, 3, 0, 2, 2, number]))
        const [error] = await failed
        socket.destroy()
        assert.equal(refusalCause(error), name)
        assert.equal(clientRefusal(error), isRefusal ? 'alert' : undefined)
        assert.equal(blamesClock(error, false), name === 'certificate_expired')
      } finally {
        server.close()
      }
    })

  it('is the same by whatever name OpenSSL has for it', () => {
    // OpenSSL 3.0 (Node 20, 22) and 3.5 (Node 24).
    for (const code of [
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
      'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN',
    ]) {
      const error = Object.assign(new Error('refused'), { code })
      assert.equal(refusalCause(error), 'certificate_unknown')
      assert.equal(clientRefusal(error), 'alert')
    }
    const code = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'
    const wanted = Object.assign(new Error('refused'), { code })
    assert.equal(upstreamFailure(wanted, 'a').code, 'YORI_UPSTREAM_CLIENT_CERTIFICATE')
  })
})
