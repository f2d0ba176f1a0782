/** The message that says that it is a test of its sink. */
import { randomBytes } from 'node:crypto'
import type { Delivery } from './words.js'

export function testDelivery(nowMs: number): Delivery {
  return {
    id: `msg_${randomBytes(16).toString('hex')}`,
    nowMs,
    isEscalated: false,
    event: {
      rule: 'blocked',
      at: nowMs,
      reason: 'A test of this sink: nothing was blocked.',
      mode: 'test',
      metadata: { test: true },
    },
  }
}
