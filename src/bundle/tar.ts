/**
 * Archives of tar (POSIX.1-1988 ustar, pax, and long names of GNU): files with names that stay
 * inside, and nothing else. Links, devices and names that lead out are refused, not skipped.
 */
import { BadBundle, BUNDLE_LIMITS } from './limits.js'

const BLOCK = 512

export interface TarFile {
  /** Without a leading `/` or `./`; parts are divided by `/`. */
  readonly path: string
  readonly bytes: Buffer
}

/** Its files, in order. @throws BadBundle */
export function readTar(archive: Buffer): TarFile[] {
  const files = new Map<string, TarFile>()
  let told: Told = {}
  let entries = 0
  let at = 0
  while (at + BLOCK <= archive.length) {
    const header = archive.subarray(at, at + BLOCK)
    if (header.every((byte) => byte === 0)) return [...files.values()]
    refuseChecksum(header)
    if (++entries > BUNDLE_LIMITS.entries)
      throw new BadBundle(`holds more than ${BUNDLE_LIMITS.entries} entries`)
    const size = told.size ?? numberAt(header, 124, 12)
    const start = at + BLOCK
    if (size > archive.length - start)
      throw new BadBundle('ends before the end of a file in it')
    const bytes = archive.subarray(start, start + size)
    at = start + Math.ceil(size / BLOCK) * BLOCK
    const kind = String.fromCharCode(header[156] ?? 0)
    if (kind === 'x') told = { ...told, ...paxOf(bytes) }
    else if (kind === 'L') told = { ...told, path: textOf(bytes) }
    else if (kind !== 'g') {
      addFile(files, kind, told.path ?? nameIn(header), bytes)
      told = {}
    }
  }
  throw new BadBundle('ends without its end')
}

interface Told {
  readonly path?: string
  readonly size?: number
}

function addFile(
  files: Map<string, TarFile>,
  kind: string,
  name: string,
  bytes: Buffer,
): void {
  const shown = JSON.stringify(name.slice(0, 64))
  if (kind === '5') return void insidePath(name.replace(/\/$/, ''), true)
  if (kind !== '0' && kind !== '\0')
    throw new BadBundle(`${shown} is a link, a device or of another unknown kind`)
  const path = insidePath(name)
  if (files.has(path)) throw new BadBundle(`${shown} is in it twice`)
  files.set(path, { path, bytes })
}

/** A name that stays inside, in its one form. @throws BadBundle */
function insidePath(name: string, isFolder = false): string {
  const shown = JSON.stringify(name.slice(0, 64))
  if (Buffer.byteLength(name) > BUNDLE_LIMITS.pathBytes)
    throw new BadBundle(`${shown}... is longer than ${BUNDLE_LIMITS.pathBytes} bytes`)
  // `opa build` writes names with a leading slash; one means the top of the archive.
  const path = name.replace(/^\.?\//, '')
  if (isFolder && (path === '' || path === '.')) return path
  const parts = path.split('/')
  const isOut = parts.some((part) => part === '' || part === '.' || part === '..')
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  if (isOut || /[\\\u0000-\u001f\u007f]/.test(path))
    throw new BadBundle(`${shown} leads out of the archive, or is no plain path`)
  return path
}

function nameIn(header: Buffer): string {
  const name = textOf(header.subarray(0, 100))
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  const text = bytes.subarray(0, end === -1 ? bytes.length : end)
  if (text.length > 4096) throw new BadBundle('holds a name of more than 4096 bytes')
  return text.toString('utf8')
}

/** Octal, in ASCII; or, for sizes beyond, binary, which no bundle needs. */
function numberAt(header: Buffer, start: number, length: number): number {
  const text = header.toString('latin1', start, start + length)
  const [digits] = /^ *[0-7]*(?=[ \0]|$)/.exec(text) ?? []
  if (digits === undefined) throw new BadBundle('holds a number that is none')
  return digits.trim() === '' ? 0 : Number.parseInt(digits.trim(), 8)
}

function refuseChecksum(header: Buffer): void {
  let sum = 8 * 32
  for (const [index, byte] of header.entries())
    if (index < 148 || index >= 156) sum += byte
  if (numberAt(header, 148, 8) !== sum) throw new BadBundle('is no archive of tar')
}

/** `LENGTH KEY=VALUE\n`, again and again. */
function paxOf(bytes: Buffer): Told {
  let told: Told = {}
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(32, at)
    const length = Number(bytes.toString('latin1', at, Math.max(at, space)))
    if (!Number.isSafeInteger(length) || length < 5 || at + length > bytes.length)
      throw new BadBundle('holds a pax header that is none')
    const line = bytes.toString('utf8', space + 1, at + length - 1)
    const equals = line.indexOf('=')
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1)]
    if (key === 'path') told = { ...told, path: value }
    if (key === 'size' && /^\d{1,15}$/.test(value))
      told = { ...told, size: Number(value) }
    at += length
  }
  return told
}

/** An archive of these files, the same bytes for the same files. @throws BadBundle */
export function writeTar(files: readonly TarFile[]): Buffer {
  const blocks: Buffer[] = []
  for (const { path, bytes } of files) {
    const name = Buffer.from(insidePath(path))
    if (name.length > 100) throw new BadBundle(`${path} is longer than 100 bytes`)
    const header = Buffer.alloc(BLOCK)
    name.copy(header)
    header.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1')
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
    header.write('00000000000\0' + '        ' + '0', 136, 'latin1')
    header.write('ustar\0' + '00', 257, 'latin1')
    const sum = header.reduce((a, b) => a + b, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    const rest = (BLOCK - (bytes.length % BLOCK)) % BLOCK
    blocks.push(header, bytes, Buffer.alloc(rest))
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}
