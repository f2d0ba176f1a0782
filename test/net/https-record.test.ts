import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import {
  askHttpsRecord,
  httpsQuestion,
  readHttpsAnswer,
} from '../../src/net/https-record.js'

/** RFC 9460 appendix D.2: `alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1`. */
const MANDATORY =
  '0010' +
  '03666f6f076578616d706c65036f726700' +
  '0000000400010004' +
  '0001000902683205' +
  '68332d3139' +
  '00040004c0000201'
/** Priority 1, target `.`, alpn=h3,h2 and four bytes of ech (key 5), by RFC 9460 §2.2. */
const HIDING = '000100' + '00010006' + '026833026832' + '00050004' + '01020304'

function answer(...records: string[]): Buffer {
  const question = httpsQuestion(7, 'a.example.org')
  const rows = records.map((hex) => {
    const data = Buffer.from(hex, 'hex')
    const head = Buffer.from('c00c004100010000012c0000', 'hex')
    head.writeUInt16BE(data.length, 10)
    return Buffer.concat([head, data])
  })
  const whole = Buffer.concat([question, ...rows])
  whole.writeUInt16BE(0x8180, 2)
  whole.writeUInt16BE(records.length, 6)
  return whole
}

describe('an HTTPS record', () => {
  it('without ECH and h3 offers neither: h3-19 is another protocol', () => {
    assert.deepEqual(readHttpsAnswer(answer(MANDATORY)), { ech: false, h3: false })
    assert.deepEqual(readHttpsAnswer(answer()), { ech: false, h3: false })
  })

  it('offers ECH and HTTP/3 when one of them does', () => {
    assert.deepEqual(readHttpsAnswer(answer(MANDATORY, HIDING)), { ech: true, h3: true })
  })

  it('that is cut short anywhere is no answer or offers less, and never throws', () => {
    const whole = answer(MANDATORY, HIDING)
    for (let length = 0; length < whole.length; length++)
      assert.doesNotThrow(() => readHttpsAnswer(whole.subarray(0, length)))
  })

  it('is asked of a server, whose silence is no answer', async () => {
    const server = createSocket('udp4')
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    const at = `127.0.0.1:${server.address().port}`
    try {
      assert.equal(await askHttpsRecord(at, 'a.example.org', 50), undefined)
      server.on('message', (message, from) => {
        const reply = answer(HIDING)
        message.copy(reply, 0, 0, 2)
        server.send(reply, from.port, from.address)
      })
      assert.deepEqual(await askHttpsRecord(at, 'a.example.org', 5_000), {
        ech: true,
        h3: true,
      })
    } finally {
      server.close()
    }
  })

  it('of a server that cannot be reached is no answer, and no fault', async () => {
    const gone = createSocket('udp4')
    gone.bind(0, '127.0.0.1')
    await once(gone, 'listening')
    const closed = `127.0.0.1:${gone.address().port}`
    gone.close()
    // Connecting to the broadcast address is refused by the system (EACCES, connect(2)); no
    // name ends with a dot and a blank; nobody listens at the last.
    for (const server of ['255.255.255.255', '[ff02::1%none]:53', 'no.such. :53', closed])
      assert.equal(
        await askHttpsRecord(server, 'a.example.org', 2_000),
        undefined,
        server,
      )
  })

  it('is taken once, however often it is answered', async () => {
    const server = createSocket('udp4')
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    server.on('message', (message, from) => {
      const reply = answer(HIDING)
      message.copy(reply, 0, 0, 2)
      for (let i = 0; i < 5; i++) server.send(reply, from.port, from.address)
    })
    try {
      const at = `127.0.0.1:${server.address().port}`
      const record = await askHttpsRecord(at, 'a.example.org', 5_000)
      assert.deepEqual(record, { ech: true, h3: true })
    } finally {
      server.close()
    }
  })
})
