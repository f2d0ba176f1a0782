/**
 * An archive in the format of ustar, with a header of pax where a path is too long for it.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */

export interface Entry {
  /** As it stands in the archive, from `/` or not. */
  readonly path: string
  readonly mode: number
  readonly content: Buffer
  /** Owner by name; root and wheel unless given. */
  readonly owner?: string
  readonly group?: string
}

const BLOCK = 512
const NAME_BYTES = 100
const PREFIX_BYTES = 155

/** Every entry is a plain file; the times of all are `seconds` since 1970. */
export function tar(entries: readonly Entry[], seconds: number): Buffer {
  const parts = entries.flatMap((entry) => {
    const split = splitPath(entry.path)
    if (split !== undefined)
      return [header(entry, { ...split, type: '0', seconds }), padded(entry.content)]
    const record = paxRecord('path', entry.path)
    const short = { name: Buffer.from(entry.path).subarray(0, NAME_BYTES).toString() }
    const pax = { path: short.name, mode: 0o644, content: record }
    return [
      header(pax, { name: 'pax', prefix: '', type: 'x', seconds }),
      padded(record),
      header(entry, { ...short, prefix: '', type: '0', seconds }),
      padded(entry.content),
    ]
  })
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

function header(
  { mode, content, owner = 'root', group = 'wheel' }: Entry,
  {
    name,
    prefix,
    type,
    seconds,
  }: { name: string; prefix: string; type: string; seconds: number },
): Buffer {
  const block = Buffer.alloc(BLOCK)
  const put = (text: string, at: number): number => block.write(text, at)
  const octal = (value: number, digits: number): string =>
    `${value.toString(8).padStart(digits, '0')}\0`
  put(name, 0)
  put(octal(mode, 7), 100)
  put(octal(0, 7), 108)
  put(octal(0, 7), 116)
  put(octal(content.length, 11), 124)
  put(octal(seconds, 11), 136)
  put('        ', 148)
  put(type, 156)
  put('ustar\x0000', 257)
  put(owner, 265)
  put(group, 297)
  put(octal(0, 7), 329)
  put(octal(0, 7), 337)
  put(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Undefined: it fits in no two parts. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (Buffer.byteLength(path) <= NAME_BYTES) return { name: path, prefix: '' }
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (Buffer.byteLength(prefix) > PREFIX_BYTES) return undefined
    if (name !== '' && Buffer.byteLength(name) <= NAME_BYTES) return { name, prefix }
  }
  return undefined
}

/** `LENGTH KEY=VALUE`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`)
}

function padded(content: Buffer): Buffer {
  const over = content.length % BLOCK
  return over === 0 ? content : Buffer.concat([content, Buffer.alloc(BLOCK - over)])
}
