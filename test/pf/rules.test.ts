import assert from 'node:assert/strict'
import { readSteering } from '../../pf/rules-read.js'
import { steeringRules } from '../../pf/rules.js'
import type { SteerSettings } from '../../pf/rules.js'
import { named, problemsOf, settings, steering } from './support.js'

const entry = (value: string, from: string) => ({ value, from })

describe('steering read from the configuration', () => {
  it('has addresses in one spelling, each with its key, each once', () => {
    const exempt = named(
      'steer.exempt',
      '192.168.001.5/32'.replace('001', '1'),
      '192.168.1.5',
      '10.9.8.7/24',
      '2001:DB8:0:0::1',
      'AA-BB-CC-00-11-22',
      'aabb.cc00.1122',
      'Kids_Devices',
    )
    assert.deepEqual(steering({ exempt }).exempt, [
      { kind: 'address', family: 'inet', text: '192.168.1.5', from: 'steer.exempt[0]' },
      { kind: 'address', family: 'inet', text: '10.9.8.0/24', from: 'steer.exempt[2]' },
      { kind: 'address', family: 'inet6', text: '2001:db8::1', from: 'steer.exempt[3]' },
      { kind: 'mac', text: 'aa:bb:cc:00:11:22', from: 'steer.exempt[4]' },
      { kind: 'alias', text: 'Kids_Devices', from: 'steer.exempt[6]' },
    ])
  })

  it('leads each family to its first listener, and only those that have one', () => {
    const targets = (listen: string[], families: 'both' | 'ipv4' | 'ipv6' = 'both') =>
      steering({
        listen: named('listen', ...listen),
        families: { value: families, from: 'steer.families' },
      }).targets.map(({ family, address, port, from }) => [family, address, port, from])
    const both = ['192.0.2.1:8443', '0.0.0.0:9000', '[::]:8444']
    const first = ['inet', '192.0.2.1', 8443, 'listen[0]']
    const third = ['inet6', undefined, 8444, 'listen[2]']
    assert.deepEqual(targets(both), [first, third])
    assert.deepEqual(targets(both, 'ipv4'), [first])
    assert.deepEqual(targets(both, 'ipv6'), [third])
    assert.deepEqual(targets(['0.0.0.0:8443']), [['inet', undefined, 8443, 'listen[0]']])
  })

  it('becomes rules that carry the keys they come from, the blocked first', () => {
    const rules = steeringRules(steering({ blocked: named('steer.blocked', '10.0.0.9') }))
    assert.deepEqual(
      rules.map(({ kind, from }) => [kind, from]),
      [
        ['block', 'steer.blocked[0]'],
        ['redirect', 'steer.interfaces[0], steer.interfaces[1], listen[0]'],
        ['redirect', 'steer.interfaces[0], steer.interfaces[1], listen[1]'],
        ['refuse-quic', 'steer.interfaces[0], steer.interfaces[1]'],
        ['guard', 'listen[0]'],
        ['guard', 'listen[1]'],
      ],
    )
  })

  it('takes guest networks only when they are named', () => {
    const names = (guests: string[]) =>
      steering({ guests: named('steer.guests', ...guests) }).interfaces.map(
        ({ name }) => name,
      )
    assert.deepEqual(names([]), ['em1', 'vlan10'])
    assert.deepEqual(names(['vlan30', 'em1']), ['em1', 'vlan10', 'vlan30'])
  })
})

describe('steering refuses', () => {
  const EVIL = [
    'em1 }" pass all',
    'em1\npass in all',
    '$ext_if',
    'em1"; add rule',
    '',
    'a'.repeat(16),
    'em1,em2',
    '{ em1 }',
    'em1 # x',
    '*',
    '!em1',
    '../em1',
    'em1\0',
    'ém1',
    'any',
    'self',
    'inet6',
  ]
  for (const name of EVIL)
    it(`the interface ${JSON.stringify(name)}`, () => {
      const [problem] = problemsOf({ interfaces: named('steer.interfaces', name) })
      assert.equal(problem?.key, 'steer.interfaces[0]')
      assert.doesNotMatch(problem?.wrong ?? '', /[\n\0]/)
    })

  for (const [device, says] of [
    ['0.0.0.0/0', /wider than \/8/],
    ['::/0', /wider than \/7/],
    ['128.0.0.0/1', /wider/],
    ['::ffff:0.0.0.0/96', /wider/],
    ['tv.example.com', /name of a host/],
    ['10.0.0.256', /name of a host/],
    ['10.0.0.1 }', /characters/],
    ['10.0.0.1, 0.0.0.0/0', /characters/],
    ['<yori_llm>', /characters/],
    ['a'.repeat(32), /32 characters/],
    ['fe80::1%em1', /characters/],
    ['', /empty/],
    ['any', /language/],
    ['1alias', /letter/],
  ] as const)
    it(`the device ${JSON.stringify(device)}`, () => {
      const [problem] = problemsOf({ exempt: named('steer.exempt', device) })
      assert.equal(problem?.key, 'steer.exempt[0]')
      assert.match(problem.wrong, says)
    })

  const tables = (llm: string, exempt = 'yori_exempt'): Partial<SteerSettings> => ({
    tables: {
      llm: entry(llm, 'steer.tables.llm'),
      exempt: entry(exempt, 'steer.tables.exempt'),
      blocked: entry('yori_blocked', 'steer.tables.blocked'),
      clients: entry('yori_clients', 'steer.tables.clients'),
    },
  })

  for (const [changed, key, says] of [
    [
      tables('yori_llm_addresses_of_all_providers_v4'),
      'steer.tables.llm',
      /38 characters/,
    ],
    [tables('yori llm'), 'steer.tables.llm', /characters/],
    [tables('x> persist { 0.0.0.0/0 } #'), 'steer.tables.llm', /characters/],
    [tables('same', 'same'), 'steer.tables.exempt', /another table/],
    [{ address6: entry('::1', 'steer.address6') }, 'steer.address6', /never reached/],
    [{ address6: entry('0:0::1', 'steer.address6') }, 'steer.address6', /never reached/],
    [{ address6: entry('127.0.0.1', 'steer.address6') }, 'steer.address6', /IPv6/],
    [{ address6: entry('fd00::1 port 1', 'steer.address6') }, 'steer.address6', /IPv6/],
    [{ interfaces: named('steer.interfaces', 'lo0') }, 'steer.interfaces[0]', /loopback/],
    [{ listen: named('listen', 'localhost:8443') }, 'listen', /no IPv4 listener/],
    [{ listen: named('listen', '0.0.0.0:0') }, 'listen', /no IPv4 listener/],
    [{ tableTimeout: Number.NaN }, 'steer.table_timeout', /not a usable time/],
    [
      {
        appliance: {
          interface: entry('em2', 'steer.appliance.interface'),
          address: entry('yori.home.arpa', 'steer.appliance.address'),
        },
      },
      'steer.appliance.address',
      /not an IPv4 address/,
    ],
  ] as const satisfies readonly (readonly [Partial<SteerSettings>, string, RegExp])[])
    it(`${key}: ${String(says)}`, () => {
      const [problem] = problemsOf(changed)
      assert.equal(problem?.key, key)
      assert.match(problem.wrong, says)
    })

  it('with every problem at once, and the keys they stand at', () => {
    const read = readSteering(
      settings({
        interfaces: named('steer.interfaces', 'em1', 'em 2'),
        blocked: named('steer.blocked', '0.0.0.0/0'),
      }),
    )
    assert.ok(read.kind === 'invalid')
    assert.deepEqual(
      read.problems.map(({ key }) => key),
      ['steer.interfaces[1]', 'steer.blocked[0]'],
    )
  })
})
