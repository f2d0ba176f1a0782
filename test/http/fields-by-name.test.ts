/** Fields by name, beside what Node's own server makes of the same bytes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { fieldsByName } from '../../src/http/fields-by-name.js'

/** Each of these twice: what stands once, what is a list, and what has rules of its own. */
const NAMES = [
  ...['Accept', 'User-Agent', 'X-Twice', 'Cookie', 'Set-Cookie', 'Content-Type'],
  ...['Authorization', 'Origin', 'Referer', 'From', 'Age', 'ETag', 'Expires', 'Server'],
  ...['Proxy-Authorization', 'Sec-Fetch-Site', 'TE', 'Via', 'If-Modified-Since'],
  ...['constructor', 'toString', '__proto__', 'hasOwnProperty', 'X-Y', 'x-y'],
]

describe('fields by name', () => {
  it('are what Node has, of fields that stand once and twice', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    try {
      const lines = NAMES.flatMap((name) => [`${name}: 1`, `${name.toUpperCase()}: 2`])
      socket.write(['GET / HTTP/1.1', 'Host: a.test', ...lines, '', ''].join('\r\n'))
      const [request] = (await once(server, 'request')) as [IncomingMessage]
      const found = fieldsByName(request.rawHeaders)
      for (const name of [...NAMES, 'host', 'absent'].map((each) => each.toLowerCase())) {
        if (name === '__proto__') continue
        assert.deepEqual(found[name], { ...request.headers }[name], name)
      }
      // Node loses it; a field is a field.
      assert.equal(Object.getOwnPropertyDescriptor(found, '__proto__')?.value, '1, 2')
    } finally {
      socket.destroy()
      server.close()
    }
  })
})
