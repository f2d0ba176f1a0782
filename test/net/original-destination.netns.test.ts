import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { packageFile } from '../../src/core/package-root.js'
import { Namespaces, type Program } from '../support/namespaces.js'
import { NAMESPACES, needs } from '../support/needs.js'

const PORT = 8443
const LISTENER = packageFile('dist', 'test', 'support', 'destination-listener.js')
const NEIGHBOURS = packageFile('dist', 'test', 'support', 'print-neighbours.js')

/** A client whose whole traffic goes through a router; nobody is behind the router. */
function lab(): Namespaces {
  const machines = new Namespaces(['client', 'router', 'internet'])
  machines.link({
    from: { machine: 'client', name: 'eth0', addresses: ['10.77.0.2/24', 'fd77::2/64'] },
    to: { machine: 'router', name: 'lan0', addresses: ['10.77.0.1/24', 'fd77::1/64'] },
  })
  machines.run('client', 'ip route add default via 10.77.0.1')
  machines.run('client', 'ip -6 route add default via fd77::1')
  // Foreign destinations need a way out of the router, or its kernel would refuse them first.
  machines.link({
    from: {
      machine: 'router',
      name: 'wan0',
      addresses: ['198.51.100.1/24', 'fd78::1/64'],
    },
    to: {
      machine: 'internet',
      name: 'eth0',
      addresses: ['198.51.100.254/24', 'fd78::fe/64'],
    },
  })
  machines.run('router', 'ip route add default via 198.51.100.254')
  machines.run('router', 'ip -6 route add default via fd78::fe')
  machines.run(
    'router',
    'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
  )
  return machines
}

async function listen(machines: Namespaces, mode?: string): Promise<Program> {
  const program = machines.spawn('router', process.execPath, [
    LISTENER,
    String(PORT),
    ...(mode === undefined ? [] : [mode]),
  ])
  assert.deepEqual(JSON.parse(await program.line()), { listening: 'yes' })
  return program
}

/** Dials from the client and tells what the router's listener saw. */
async function dial(machines: Namespaces, program: Program, host: string, port: number) {
  const source = `require('net').connect(${port},'${host}').on('data',d=>process.stdout.write(d))`
  const target = machines.spawn('client', process.execPath, ['-e', source])
  assert.equal(await target.line(), 'ok')
  return JSON.parse(await program.line()) as unknown
}

const original = (address: string, port: number, peer: string) => ({
  kind: 'original',
  address: { address, port },
  peer,
})

const V4_PEER = '::ffff:10.77.0.2'
const V6_PEER = 'fd77::2'

describe('a client behind a Linux router: its original destination', () => {
  before(function () {
    needs(this, ...NAMESPACES)
  })

  it('of a connection led here by REDIRECT is the dialled address, both families', async () => {
    await using machines = lab()
    machines.run(
      'router',
      'nft -f -',
      `table inet yori {
        chain pre {
          type nat hook prerouting priority dstnat
          iifname "lan0" tcp dport { 443, 993 } redirect to :${PORT}
        }
      }`,
    )
    const program = await listen(machines)
    for (const [host, port, expected] of [
      ['203.0.113.7', 443, original('203.0.113.7', 443, V4_PEER)],
      ['203.0.113.8', 993, original('203.0.113.8', 993, V4_PEER)],
      ['2001:db8:9::42', 443, original('2001:db8:9::42', 443, V6_PEER)],
      ['10.77.0.1', 443, { kind: 'own', peer: V4_PEER }],
      ['fd77::1', 443, { kind: 'own', peer: V6_PEER }],
      ['10.77.0.1', PORT, { kind: 'own', peer: V4_PEER }],
      ['fd77::1', PORT, { kind: 'own', peer: V6_PEER }],
    ] as const)
      assert.deepEqual(await dial(machines, program, host, port), expected)
  })

  it('comes with the MAC of its device, both families', async () => {
    await using machines = lab()
    const program = await listen(machines)
    await dial(machines, program, '10.77.0.1', PORT)
    await dial(machines, program, 'fd77::1', PORT)
    const words = machines.words('router', process.execPath, NEIGHBOURS)
    const printed = execFileSync('ip', words, { encoding: 'utf8' })
    const table = new Map(JSON.parse(printed) as [string, string][])
    const [link] = JSON.parse(machines.run('client', 'ip -j link show eth0')) as [
      { address: string },
    ]
    assert.equal(table.get('10.77.0.2'), link.address)
    assert.equal(table.get('fd77::2'), link.address)
  })

  it('of a connection taken by TPROXY is its local address, both families', async () => {
    await using machines = lab()
    for (const family of ['-4', '-6']) {
      machines.run('router', `ip ${family} rule add fwmark 1 lookup 100`)
      machines.run('router', `ip ${family} route add local default dev lo table 100`)
    }
    machines.run(
      'router',
      'nft -f -',
      `table inet yori {
        chain pre {
          type filter hook prerouting priority mangle
          iifname "lan0" fib daddr type local accept
          iifname "lan0" meta nfproto ipv4 tcp dport 443 tproxy ip to :${PORT} meta mark set 1 accept
          iifname "lan0" meta nfproto ipv6 tcp dport 443 tproxy ip6 to :${PORT} meta mark set 1 accept
        }
      }`,
    )
    const program = await listen(machines, 'transparent')
    for (const [host, port, expected] of [
      ['203.0.113.7', 443, original('203.0.113.7', 443, V4_PEER)],
      ['2001:db8:9::42', 443, original('2001:db8:9::42', 443, V6_PEER)],
      ['10.77.0.1', PORT, { kind: 'own', peer: V4_PEER }],
      ['fd77::1', PORT, { kind: 'own', peer: V6_PEER }],
    ] as const)
      assert.deepEqual(await dial(machines, program, host, port), expected)
  })
})
