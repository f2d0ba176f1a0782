import assert from 'node:assert/strict'
import { findPersonal } from '../../src/detect/personal.js'
import { chance } from '../support/made-up.js'

/** Refused whatever the level (docs/DETECT.md). */
const NEVER = new Set(['credit_card', 'iban', 'us_ssn'])
const CHARS = 400_000
const next = chance(17)

function upTo(most: number): number {
  return Math.floor(next() * most)
}

function hex(length: number): string {
  let text = ''
  while (text.length < length) text += upTo(0x1_0000_0000).toString(16).padStart(8, '0')
  return text.slice(0, length)
}

function digits(length: number): string {
  let text = ''
  while (text.length < length) text += String(upTo(1_000_000)).padStart(6, '0')
  return text.slice(0, length)
}

function row(many: number, item: () => string | number, sign = ' '): string {
  return `${Array.from({ length: many }, item).join(sign)}\n`
}

function uuid(): string {
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
}

/** With the check digit of GS1 General Specifications 7.9. */
function article(): string {
  const number = `4${digits(11)}`
  const sum = [...number].reduce(
    (all, d, i) => all + Number(d) * (i % 2 === 0 ? 1 : 3),
    0,
  )
  return number + String((10 - (sum % 10)) % 10)
}

/** What agents read and write all day, and what has a good check digit now and then. */
const HARMLESS: Readonly<Record<string, () => string>> = {
  'numbers between 0 and 1': () => row(8, next, ','),
  'numbers with 15 decimals': () => row(4, () => (next() * 360 - 180).toFixed(15)),
  'places on the earth': () =>
    `[${(next() * 360 - 180).toFixed(14)},${(next() * 180 - 90).toFixed(14)}],`,
  UUIDs: () => `${uuid()}\n`,
  'UUIDs in capitals': () => `{${uuid().toUpperCase()}}\n`,
  'a dump': () => `${hex(8)}: ${row(8, () => hex(4))}`,
  'fingerprints of keys': () => row(10, () => hex(4).toUpperCase()),
  'numbers of messages': () => `<@${1 + upTo(9)}${digits(17)}> `,
  'nanoseconds since 1970': () => `17${digits(17)} ${upTo(1e9)}\n`,
  'microseconds since 1970': () => `17${digits(14)}\n`,
  'articles of a shop': () => `${article()}\n`,
  'users of a network': () => `"id":"1${digits(14)}",`,
  'lines of a diff': () => `index ${hex(7)}..${hex(7)} 100644\n`,
  'digests in base64': () => `sha512-${Buffer.from(hex(128), 'hex').toString('base64')} `,
  'random names': () => `${Buffer.from(hex(32), 'hex').toString('base64url')} `,
  'columns of numbers': () => row(6, () => upTo(100_000), '\t'),
  'rows of nine': () => row(9, () => 1000 + upTo(9000)),
}

describe('what has a check digit by chance', () => {
  for (const [name, piece] of Object.entries(HARMLESS))
    it(`is no card and no account: ${name}`, () => {
      let text = ''
      while (text.length < CHARS) text += piece()
      const found = findPersonal(text)
        .filter(({ kind }) => NEVER.has(kind))
        .map(({ kind, start, end }) => `${kind} ${text.slice(start - 9, end + 9)}`)
      assert.deepEqual(found, [])
    })

  it('is one where words or its place say so', () => {
    // The schemes' own numbers for tests.
    for (const text of [
      'card: 4222222222222',
      // UATP.
      ' 122000000000003\n',
      'UATP 122000000000003',
      'VISA no.4111111111111111',
      'my card, 1.4111111111111111',
      'Kreditkarte Nr. 2.5555555555554444',
      'order 1234 4111 1111 1111 1111',
      '4111 1111 1111 1111 0127 123',
      'card 4111 1111 1111 1111 1227 2000 3000',
      '[0.25, 4111111111111111]',
      '3.25 4111-1111-1111-1111',
    ])
      assert.deepEqual(
        findPersonal(text).map(({ kind }) => kind),
        ['credit_card'],
        text,
      )
    const cards = '4111 1111 1111 1111 5555 5555 5555 4444 6011 1111 1111 1117'
    assert.equal(findPersonal(cards).length, 3)
  })

  it('is an account however its letters are written, if all alike', () => {
    for (const text of [
      'GB29 NWBK 6016 1331 9268 19',
      'gb29 nwbk 6016 1331 9268 19',
      'Gb29 NWBK 6016 1331 9268 19',
      'De89 3704 0044 0532 0130 00',
      'FR1420041010050500013M02606',
      'OM810180000001299123456',
    ])
      assert.deepEqual(
        findPersonal(text).map(({ kind }) => kind),
        ['iban'],
        text,
      )
    assert.deepEqual(findPersonal('GB29 NwBk 6016 1331 9268 19'), [])
  })
})
