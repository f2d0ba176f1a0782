/**
 * What the side of a processor (`yori/processor`) is told, nearly right: each payload is no event,
 * or every field is of its kind and no chunk is longer than what told it.
 */
import assert from 'node:assert/strict'
import { NoEvent, readTold } from '../../src/processors/sdk-told.js'
import type { Told } from '../../src/processors/sdk-told.js'
import type { FuzzTarget } from './target.js'

const EVENTS = [
  {
    ...{ metadata: { correlation_id: 'r', has_body: true }, method: 'POST', uri: '/v1' },
    headers: { accept: ['a', 'b'] },
  },
  { correlation_id: 'r', data: 'e30=', is_last: true, chunk_index: 0, total_size: 2 },
  { correlation_id: 'r', status: 200, headers: { 'content-type': ['text/plain'] } },
  // Each is what another kind would be taken for.
  { correlation_id: 'r', data: { length: 4_000_000_000 } },
  { correlation_id: 'r', data: 4_000_000_000, chunk_index: -1, status: '200' },
  { metadata: null, headers: { accept: 'a' }, method: ['POST'] },
]

export const sdkTarget: FuzzTarget = {
  name: 'sdk',
  about: 'what a processor that uses the package is told',
  seeds: () => [...EVENTS, null, [], 1].map((one) => Buffer.from(JSON.stringify(one))),
  check: (input) => {
    let told: Told
    try {
      told = readTold(input)
    } catch (cause) {
      if (cause instanceof NoEvent) return
      throw cause
    }
    for (const text of [told.id, told.method, told.uri])
      assert.equal(typeof text, 'string')
    for (const number of [told.status, told.index])
      assert.ok(Number.isSafeInteger(number) && number >= 0)
    assert.ok(Buffer.isBuffer(told.bytes) && told.bytes.length <= input.length)
    assert.equal(typeof told.isLast, 'boolean')
    for (const values of Object.values(told.headers))
      for (const value of values) assert.equal(typeof value, 'string')
  },
}
