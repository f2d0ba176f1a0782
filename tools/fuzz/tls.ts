/** The ClientHello parser and the reader of first bytes: bounded, steady, and never throwing. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { FirstBytesReader } from '../../src/net/first-bytes.js'
import { ClientHelloScan, parseClientHello } from '../../src/tls/client-hello.js'
import { helloFingerprint, ja3 } from '../../src/tls/fingerprint.js'
import { overRecords } from '../cases/tls-records.js'
import type { FuzzTarget } from './target.js'

const FIXTURES = ['client-hellos.jsonl', 'not-hellos.jsonl']
const LIMIT = 65_536
/** Record headers included: a message of 64 KiB in records of 16 KiB and more. */
const MOST_NEEDED = LIMIT + 5 * 5

export const tlsTarget: FuzzTarget = {
  name: 'tls',
  about: 'the first bytes of connections',
  seeds,
  check,
}

function seeds(): Buffer[] {
  const found: Buffer[] = []
  for (const name of FIXTURES) {
    const text = readFileSync(packageFile('test', 'fixtures', 'tls', name), 'utf8')
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const row = JSON.parse(line) as { segments_hex: string[] }
      const bytes = Buffer.from(row.segments_hex.join(''), 'hex')
      found.push(bytes)
      const peek = parseClientHello(bytes)
      if (peek.kind === 'hello') found.push(overRecords(bytes, peek.bytesUsed, 40).stream)
    }
  }
  return found
}

function check(input: Buffer, random: () => number): void {
  const whole = parseClientHello(input, LIMIT)
  if (whole.kind === 'hello') {
    const { hello, bytesUsed } = whole
    assert.ok(bytesUsed > 0 && bytesUsed <= input.length)
    assert.equal(parseClientHello(input.subarray(0, bytesUsed - 1)).kind, 'need-more')
    assert.ok((hello.rawServerName?.length ?? 0) <= 255)
    assert.match(ja3(hello) + helloFingerprint(hello), /^[0-9a-f]{48}$/)
  }
  if (whole.kind === 'malformed') assert.ok(whole.offset <= input.length)
  checkGrowth(input, random)
  checkBound(input)
}

/** However it is cut: the same verdict, which more bytes never undo, and the same bytes. */
function checkGrowth(input: Buffer, random: () => number): void {
  const scan = new ClientHelloScan(LIMIT)
  const reader = new FirstBytesReader(LIMIT)
  const whole = parseClientHello(input, LIMIT)
  const step = 1 + Math.floor(random() * (random() < 0.5 ? 3 : 700))
  let decided = false
  for (let at = 0; at < input.length; at += step) {
    const peek = scan.read(input.subarray(0, at + step))
    if (!decided) {
      decided = reader.push(input.subarray(at, at + step)) !== undefined
      const last = decided || at + step >= input.length
      if (last) assert.ok(input.subarray(0, at + step).equals(reader.bytes))
    }
    if (peek.kind === 'need-more') continue
    assert.deepEqual(peek, whole)
    return
  }
  assert.equal(whole.kind, 'need-more')
}

/** Nothing waits for ever: with enough bytes behind it every input ends in a verdict. */
function checkBound(input: Buffer): void {
  if (parseClientHello(input, LIMIT).kind !== 'need-more') return
  const records = Math.ceil(MOST_NEEDED / 16_384) + 1
  const record = Buffer.alloc(5 + 16_384)
  record.set([0x16, 3, 1, 0x40, 0])
  const rest = Array.from({ length: records }, () => record)
  // The input may end inside a record of up to 16 KiB: fill that first.
  for (const fill of [0, 0x16]) {
    const stream = Buffer.concat([input, Buffer.alloc(16_384 + 5, fill), ...rest])
    assert.notEqual(parseClientHello(stream, LIMIT).kind, 'need-more')
  }
  const reader = new FirstBytesReader(LIMIT)
  const full = Buffer.concat([input, Buffer.alloc(LIMIT, 0x41)])
  assert.notEqual(reader.push(full), undefined)
}
