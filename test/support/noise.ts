/** Bytes that do not shrink, the same in each run. */
import { createCipheriv } from 'node:crypto'

export function noise(length: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16))
  return cipher.update(Buffer.alloc(length))
}
