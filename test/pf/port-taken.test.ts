import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { listenersAt, listening } from '../../pf/port-taken.js'
import { needs } from '../support/needs.js'

/** As in the kernel's proc_net_tcp.rst; the last column cut. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue
   0: 00000000:0050 00000000:0000 0A 00000000:00000000
   1: 0100007F:0050 00000000:0000 0A 00000000:00000000
   2: 0102A8C0:0051 00000000:0000 0A 00000000:00000000
   3: 0102A8C0:0050 0202A8C0:9C40 01 00000000:00000000
`
const TABLE6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A
   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A
`

describe('a port that another program has', () => {
  it('is one that somebody listens at, beyond loopback', () => {
    assert.deepEqual(listening(TABLE, 80), ['00000000'])
    assert.deepEqual(listening(TABLE, 81), ['0102A8C0'])
    assert.deepEqual(listening(TABLE, 82), [])
    assert.deepEqual(listening(TABLE6, 80), ['0'.repeat(32)])
    assert.deepEqual(listening('', 80), [])
  })

  it('is found on this machine', async function () {
    needs(this, 'Linux')
    const server = createServer().listen(0, '0.0.0.0')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      assert.deepEqual(listenersAt(port), ['00000000'])
    } finally {
      server.close()
      await once(server, 'close')
    }
    assert.deepEqual(listenersAt(port), [])
  })
})
