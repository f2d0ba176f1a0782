/** One field with a length, of Protocol Buffers. */
export function field(number, value) {
  const bytes = Buffer.from(value)
  const head = [(number << 3) | 2]
  let left = bytes.length
  for (; left > 127; left >>>= 7) head.push((left & 127) | 128)
  return Buffer.concat([Buffer.from([...head, left]), bytes])
}
