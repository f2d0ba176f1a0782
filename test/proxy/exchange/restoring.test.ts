import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { Placeholders } from '../../../src/placeholders/placeholders.js'
import {
  framingOf,
  HELD_MS,
  restoredFields,
  Restoring,
} from '../../../src/proxy/exchange/restoring.js'

const placeholders = new Placeholders(Buffer.alloc(32, 1), 'one device')
const mail = placeholders.of('EMAIL_ADDRESS', 'kim@example.org')

describe('an answer that gets values back', () => {
  afterEach(() => {
    mock.timers.reset()
  })

  it('waits half a second for the rest of a placeholder, and then goes on as it is', () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const emitted: string[] = []
    let released = 0
    const restoring = new Restoring(placeholders, 'text', {
      emit: (bytes) => emitted.push(bytes.toString()),
      released: () => released++,
    })
    assert.equal(String(restoring.write(Buffer.from(`to ${mail.slice(0, 9)}`))), 'to ')
    mock.timers.tick(HELD_MS - 1)
    assert.deepEqual([emitted, released], [[], 0])
    mock.timers.tick(1)
    assert.deepEqual([emitted, released], [[mail.slice(0, 9)], 1])
    assert.equal(String(restoring.write(Buffer.from(`${mail}, [`))), 'kim@example.org, ')
    assert.equal(String(restoring.end()), '[')
    mock.timers.tick(HELD_MS)
    assert.equal(released, 1, 'it has ended')
  })

  it('is known by its type, and not where it is in a coding', () => {
    const typed = (contentType: string, contentEncoding?: string) =>
      framingOf({ contentType, contentEncoding })
    assert.equal(typed('text/event-stream; charset=utf-8'), 'events')
    assert.equal(typed('application/x-ndjson'), 'lines')
    assert.equal(typed('application/json'), 'json')
    assert.equal(typed('text/plain'), 'text')
    assert.equal(typed('image/png'), undefined)
    assert.equal(typed('application/json', 'gzip'), undefined)
    const fields = ['Content-Length', '9', 'X-Kept', 'yes', 'repr-digest', 'sha-256=::']
    assert.deepEqual(restoredFields(fields), ['X-Kept', 'yes'])
  })
})
