/** PEM blocks (RFC 7468), found one after another in text. */

export type PemBlock = {
  readonly label: string
  readonly bytes: Buffer
  /** Offset behind the block and the line break after it. */
  readonly end: number
}

const begin = '-----BEGIN '
const dashes = '-----'

/** The next block at or after `from`; text that is none is passed over. */
export function nextPemBlock(text: string, from = 0): PemBlock | undefined {
  let at = from
  for (;;) {
    const start = text.indexOf(begin, at)
    if (start < 0) return undefined
    const block =
      start === 0 || text[start - 1] === '\n' ? blockAt(text, start) : undefined
    if (block !== undefined) return block
    at = start + begin.length
  }
}

function blockAt(text: string, start: number): PemBlock | undefined {
  const labelEnd = text.indexOf(dashes, start + begin.length)
  if (labelEnd < 0) return undefined
  const label = text.slice(start + begin.length, labelEnd)
  const footer = `${dashes}END ${label}${dashes}`
  const bodyStart = labelEnd + dashes.length
  const bodyEnd = text.indexOf(footer, bodyStart)
  if (bodyEnd < 0) return undefined
  const body = text.slice(bodyStart, bodyEnd).replace(/[ \t\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) return undefined
  let end = bodyEnd + footer.length
  if (text[end] === '\r') end++
  if (text[end] === '\n') end++
  return { label, bytes: Buffer.from(body, 'base64'), end }
}
