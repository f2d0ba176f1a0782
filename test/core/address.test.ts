import assert from 'node:assert/strict'
import {
  canonicalAddress,
  formatSocketAddress,
  parsePrefix,
  parseSocketAddress,
  Prefixes,
  refusedRange,
  refusedWithin,
} from '../../src/core/address.js'

describe('an address', () => {
  // The IPv6 rows are the examples of RFC 5952 §1, §2.1 and §4.
  const spellings: readonly (readonly [string, string | undefined])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0000::0001', '::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::192.0.2.33', '2001:db8::c000:221'],
    ['1::', '1::'],
    ['::ffff:192.0.2.128', '192.0.2.128'],
    ['::FFFF:c000:280', '192.0.2.128'],
    ['0:0:0:0:0:ffff:192.0.2.128', '192.0.2.128'],
    ['::ffff:10.0.0.1%lo', '10.0.0.1'],
    ['::fffe:192.0.2.128', '::fffe:c000:280'],
    ['127.1', undefined],
    ['0177.0.0.1', undefined],
    ['0x7f.0.0.1', undefined],
    ['2130706433', undefined],
    ['127.0.0.1.', undefined],
    [' 127.0.0.1', undefined],
    ['[::1]', undefined],
    ['1::2::3', undefined],
    ['12345::', undefined],
    ['localhost', undefined],
    ['', undefined],
  ]
  for (const [written, canonical] of spellings) {
    it(`${JSON.stringify(written)} reads as ${canonical ?? 'no address'}`, () => {
      assert.equal(canonicalAddress(written), canonical)
    })
  }

  it('with a port is read and written with brackets around IPv6 only', () => {
    for (const text of ['192.0.2.1:443', '[2001:db8::1]:8443', '[::]:0']) {
      const parsed = parseSocketAddress(text)
      assert.ok(parsed)
      assert.equal(formatSocketAddress(parsed), text)
    }
    assert.deepEqual(parseSocketAddress('[::ffff:192.0.2.1]:80'), {
      address: '192.0.2.1',
      port: 80,
    })
  })

  it('with a port is refused when either half is wrong', () => {
    const wrong = ['', '192.0.2.1', '::1:443', '[192.0.2.1]:443', '192.0.2.1:65536']
    wrong.push(
      '[::1:443',
      '::1]:443',
      ':443',
      '192.0.2.1:',
      '192.0.2.1:-1',
      '192.0.2.1:4e2',
      'host:443',
      '[::1]443',
    )
    for (const text of wrong) assert.equal(parseSocketAddress(text), undefined, text)
  })
})

describe('a list of prefixes', () => {
  const list = new Prefixes([
    '10.1.0.0/15',
    '192.0.2.7',
    'fd00::/8',
    '::ffff:198.51.100.0/120',
  ])

  it('holds both edges and nothing beyond', () => {
    for (const inside of [
      '10.0.0.0',
      '10.1.255.255',
      '192.0.2.7',
      'fd00::',
      '198.51.100.0',
    ])
      assert.equal(list.has(inside), true, inside)
    assert.equal(list.has('fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), true)
    assert.equal(list.has('198.51.100.255'), true)
    for (const outside of [
      '9.255.255.255',
      '10.2.0.0',
      '192.0.2.6',
      '192.0.2.8',
      'fe00::',
    ])
      assert.equal(list.has(outside), false, outside)
    assert.equal(list.has('198.51.101.0'), false)
  })

  it('sees through v4-mapped spellings and knows what is no address', () => {
    assert.equal(list.has('::ffff:192.0.2.7'), true)
    assert.equal(list.has('::ffff:c000:207'), true)
    assert.equal(list.has('example'), false)
  })

  it('keeps the families apart: ::/0 holds no IPv4, 0.0.0.0/0 no IPv6', () => {
    assert.equal(new Prefixes(['::/0']).has('192.0.2.1'), false)
    assert.equal(new Prefixes(['0.0.0.0/0']).has('::1'), false)
    assert.equal(new Prefixes(['0.0.0.0/0']).has('::ffff:192.0.2.1'), true)
  })

  it('names the entry that is neither address nor prefix', () => {
    for (const wrong of [
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0/8',
      'x',
      '::/129',
      '::ffff:0:0/95',
    ])
      assert.throws(() => new Prefixes(['192.0.2.1', wrong]), RangeError, wrong)
    assert.equal(parsePrefix('10.0.0.0/8 '), undefined)
  })
})

describe('a destination', () => {
  // [first, last, just below, just above]; undefined where the neighbour is refused as well.
  const ranges: readonly (readonly (string | undefined)[])[] = [
    ['0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
    ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
    ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
    ['127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
    ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
    ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
    ['192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
    ['192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
    ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
    ['198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
    ['224.0.0.0', '255.255.255.255', '223.255.255.255', undefined],
    ['::', '::ffff:ffff', undefined, '::1:0:0'],
    [
      '64:ff9b:1::',
      '64:ff9b:1:ffff:ffff:ffff:ffff:ffff',
      '64:ff9b:0:ffff::',
      '64:ff9b:2::',
    ],
    ['100::', '100::ffff:ffff:ffff:ffff', 'ff:ffff::', '100:0:0:1::'],
    ['2001::', '2001:0:ffff:ffff:ffff:ffff:ffff:ffff', '2000:ffff::', '2001:1::'],
    ['2001:2::', '2001:2:0:ffff:ffff:ffff:ffff:ffff', '2001:1:ffff::', '2001:2:1::'],
    ['5f00::', '5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '5eff:ffff::', '5f01::'],
    ['fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fbff:ffff::', 'fe00::'],
    ['fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fe7f:ffff::', undefined],
    ['fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', undefined, undefined],
    ['ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', undefined, undefined],
  ]
  const hex = (address: string, at: number): string =>
    address
      .split('.')
      .slice(at, at + 2)
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('')
  const disguises: readonly ((v4: string) => string)[] = [
    (v4) => `::ffff:${v4}`,
    (v4) => `::FFFF:${hex(v4, 0)}:${hex(v4, 2)}`,
    (v4) => `0:0:0:0:0:ffff:${v4}`,
    (v4) => `64:ff9b::${v4}`,
    (v4) => `0064:FF9B:0:0:0:0:${hex(v4, 0)}:${hex(v4, 2)}`,
    (v4) => `2002:${hex(v4, 0)}:${hex(v4, 2)}::1`,
  ]
  for (const [first = '', last = '', below, above] of ranges) {
    it(`is refused from ${first} to ${last} and nowhere beside, in every spelling`, () => {
      const spell = (address: string): string[] =>
        address.includes(':')
          ? [address, address.toUpperCase(), `${address}%eth0`]
          : [address, ...disguises.map((disguise) => disguise(address))]
      for (const refused of [first, last].flatMap(spell))
        assert.notEqual(refusedRange(refused), undefined, refused)
      for (const allowed of [below, above].flatMap((edge) => (edge ? spell(edge) : [])))
        assert.equal(refusedRange(allowed), undefined, allowed)
    })
  }

  it('is named by its range, with the address inside deciding', () => {
    assert.equal(refusedRange('10.1.2.3'), '10.0.0.0/8 (private)')
    assert.equal(refusedRange('::ffff:127.0.0.1'), '127.0.0.0/8 (loopback)')
    assert.equal(refusedRange('2002:7f00:1::'), '127.0.0.0/8 (loopback)')
    assert.equal(refusedRange('2002:808:808::'), undefined)
    assert.equal(refusedRange('64:ff9b::8.8.8.8'), undefined)
  })

  it('is refused when it is no address at all', () => {
    for (const text of ['', 'localhost', '127.1', '0x7f000001', '[::1]', '1.2.3.4/8'])
      assert.equal(refusedRange(text), 'not an IP address', text)
  })

  it('is allowed for public providers', () => {
    for (const address of ['104.18.6.192', '2606:4700::6812:6c0', '160.79.104.10'])
      assert.equal(refusedRange(address), undefined)
  })

  it('is refused with a whole prefix when any address of it is', () => {
    for (const [text, name] of [
      ['192.160.0.0/12', '192.168.0.0/16 (private)'],
      ['192.168.7.0/24', '192.168.0.0/16 (private)'],
      ['0.0.0.0/0', '0.0.0.0/8 (this network)'],
      ['64:ff90::/28', '64:ff9b:1::/48 (local NAT64)'],
      ['160.79.104.0/23', undefined],
      ['2607:6bc0::/48', undefined],
    ] as const) {
      const prefix = parsePrefix(text)
      assert.ok(prefix !== undefined)
      assert.equal(refusedWithin(prefix), name, text)
    }
  })
})
