import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { elementsText, renderNftOff, tproxyRouting } from '../../pf/render-nft.js'
import { packageFile } from '../../src/core/package-root.js'
import { Namespaces } from '../support/namespaces.js'
import type { Program } from '../support/namespaces.js'
import { tempFolder } from '../support/temp-folder.js'
import type { Dial } from '../support/dial-each.js'
import { steering } from './support.js'
import { NAMESPACES, needs } from '../support/needs.js'

const PORT = 8443
const YORI = packageFile('dist', 'src', 'cli', 'main.js')
const support = (name: string): string => packageFile('dist', 'test', 'support', name)

const LLM4 = '203.0.113.7'
const LLM6 = '2001:db8:9::42'
const OTHER4 = '203.0.113.8'
const OTHER6 = '2001:db8:9::43'

/** Two home networks behind a router, and servers beyond it. */
function lab(): Namespaces {
  const machines = new Namespaces(['client', 'tablet', 'router', 'internet'])
  const ends = [
    ['client', 'lan0', '10.77.0', 'fd77:0:0:0'],
    ['tablet', 'lan1', '10.77.1', 'fd77:0:0:1'],
  ] as const
  for (const [machine, name, net4, net6] of ends) {
    const more = machine === 'client' ? ['3', '4'] : []
    machines.link({
      from: {
        machine,
        name: 'eth0',
        addresses: ['2', ...more].flatMap((host) => [
          `${net4}.${host}/24`,
          `${net6}::${host}/64`,
        ]),
      },
      to: { machine: 'router', name, addresses: [`${net4}.1/24`, `${net6}::1/64`] },
    })
    machines.run(machine, `ip route add default via ${net4}.1`)
    machines.run(machine, `ip -6 route add default via ${net6}::1 src ${net6}::2`)
  }
  machines.link({
    from: {
      machine: 'router',
      name: 'wan0',
      addresses: ['198.51.100.1/24', 'fd78::1/64'],
    },
    to: {
      machine: 'internet',
      name: 'eth0',
      addresses: [
        '198.51.100.254/24',
        'fd78::fe/64',
        ...[LLM4, OTHER4].map((address) => `${address}/32`),
        ...[LLM6, OTHER6].map((address) => `${address}/128`),
      ],
    },
  })
  machines.run('router', 'ip route add default via 198.51.100.254')
  machines.run('router', 'ip -6 route add default via fd78::fe')
  machines.run('internet', 'ip route add default via 198.51.100.1')
  machines.run('internet', 'ip -6 route add default via fd78::1')
  machines.run(
    'router',
    'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
  )
  return machines
}

async function started(
  machines: Namespaces,
  machine = 'internet',
  port = 443,
): Promise<void> {
  const addresses = machine === 'internet' ? [LLM4, OTHER4, LLM6, OTHER6] : []
  const words = [support('real-server.js'), String(port), ...addresses]
  const server = machines.spawn(machine, process.execPath, words)
  assert.equal(await server.line(), 'listening')
}

async function listen(machines: Namespaces, mode: Mode): Promise<Program> {
  const program = machines.spawn('router', process.execPath, [
    support('destination-listener.js'),
    String(PORT),
    ...(mode === 'nft-tproxy' ? ['transparent'] : []),
  ])
  assert.deepEqual(JSON.parse(await program.line()), { listening: 'yes' })
  return program
}

async function dial(
  machines: Namespaces,
  machine: string,
  dials: readonly Dial[],
): Promise<string[]> {
  const words = [support('dial-each.js'), JSON.stringify(dials)]
  const program = machines.spawn(machine, process.execPath, words)
  const answers: string[] = []
  for (let i = 0; i < dials.length; i++) answers.push(await program.line())
  return answers
}

type Mode = 'nft-tproxy' | 'nft-redirect'

/** The text as the command prints it, checked by nft and loaded. */
async function apply(
  machines: Namespaces,
  mode: Mode,
  more: readonly string[] = [],
): Promise<void> {
  await using folder = await tempFolder()
  const config = folder.file('yori.conf')
  const lines = [
    'steer:',
    '  blocked: [10.77.0.4, "fd77::4"]',
    'access:',
    // On the outer side.
    '  clients: [198.51.100.254]',
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const text = execFileSync(
    process.execPath,
    [YORI, 'pf', 'generate', '--config', config, '--backend', mode]
      .concat(['--lan', 'lan0', '--lan', 'lan1', '--exempt', '10.77.0.3'])
      .concat(['--exempt', 'fd77::3', ...more]),
    { encoding: 'utf8' },
  )
  const known =
    text + elementsText('inet', [LLM4], 300) + elementsText('inet6', [LLM6], 300)
  machines.run('router', 'nft -c -f -', known)
  machines.run('router', 'nft -f -', known)
  if (mode !== 'nft-tproxy') return
  const { off, on } = tproxyRouting(steering({}))
  for (const words of off) {
    try {
      machines.run('router', `ip ${words.join(' ')}`)
    } catch {
      // Nothing was there.
    }
  }
  for (const words of on) machines.run('router', `ip ${words.join(' ')}`)
}

function remove(machines: Namespaces): void {
  machines.run('router', 'nft -f -', renderNftOff())
}

function macOf(machines: Namespaces, machine: string): string {
  const [link] = JSON.parse(machines.run(machine, 'ip -j link show eth0')) as [
    { address: string },
  ]
  return link.address
}

const both = (dials: (llm: string, other: string, net: string) => Dial[]): Dial[] => [
  ...dials(LLM4, OTHER4, '10.77.0.'),
  ...dials(LLM6, OTHER6, 'fd77::'),
]

for (const mode of ['nft-tproxy', 'nft-redirect'] as const)
  describe(`generated rules in the kernel: ${mode}`, () => {
    before(function () {
      needs(this, ...NAMESPACES)
    })

    it('lead LLM addresses to YORI and nothing else, both families', async () => {
      await using machines = lab()
      await started(machines)
      await apply(machines, mode, ['--exempt', macOf(machines, 'tablet')])
      const yori = await listen(machines, mode)
      const dials = both((llm, other, net) => [
        { host: llm, port: 443 },
        { host: other, port: 443 },
        { host: llm, port: 443, from: `${net}3` },
        { host: llm, port: 443, from: `${net}4` },
        { host: llm, port: 443, udp: true },
        { host: other, port: 443, udp: true },
        { host: llm, port: 443, udp: true, from: `${net}3` },
        { host: `${net}1`, port: PORT },
      ])
      const expected = [
        'ok', // YORI's
        'direct',
        'direct', // exempt by address
        'ECONNREFUSED', // blocked
        'ECONNREFUSED', // QUIC
        'direct',
        'direct', // exempt, QUIC too
        'ok', // the listener itself
      ]
      assert.deepEqual(await dial(machines, 'client', dials), [...expected, ...expected])
      for (const address of [LLM4, LLM6]) {
        const seen = JSON.parse(await yori.line()) as { address: unknown }
        assert.deepEqual(seen.address, { address, port: 443 })
        await yori.line() // the one that called the listener
      }
      const plain = both((llm) => [
        { host: llm, port: 443 },
        { host: llm, port: 443, udp: true },
      ])
      const direct = plain.map(() => 'direct')
      assert.deepEqual(await dial(machines, 'tablet', plain), direct, 'exempt by MAC')
      assert.deepEqual(await dial(machines, 'router', plain), direct, "the router's own")
      const calls = ['10.77.1.1', 'fd77:0:0:1::1'].map((host) => ({ host, port: PORT }))
      assert.deepEqual(await dial(machines, 'tablet', calls), ['ok', 'ok'], 'exempt, too')
      const outside = ['198.51.100.1', 'fd78::1', '10.77.1.1', 'fd77:0:0:1::1'].map(
        (host) => ({ host, port: PORT }),
      )
      assert.deepEqual(
        await dial(machines, 'internet', outside),
        ['ok', 'ECONNREFUSED', 'ok', 'ECONNREFUSED'],
        'from elsewhere access.clients alone',
      )
      const own = ['127.0.0.1', '::1', '10.77.1.1'].map((host) => ({ host, port: PORT }))
      assert.deepEqual(await dial(machines, 'router', own), ['ok', 'ok', 'ok'])
    })

    it('leave the port of the listener alone on every other host', async () => {
      await using machines = lab()
      await started(machines, 'internet', PORT)
      await started(machines, 'tablet', PORT)
      await apply(machines, mode, ['--exempt', macOf(machines, 'tablet')])
      const yori = await listen(machines, mode)
      const dials = both((llm, other, net) =>
        ['2', '3', '4'].flatMap((device) =>
          [llm, other, net.includes(':') ? 'fd77:0:0:1::2' : '10.77.1.2'].map((host) => ({
            host,
            port: PORT,
            from: `${net}${device}`,
          })),
        ),
      )
      const direct = dials.map(() => 'direct')
      assert.deepEqual(await dial(machines, 'client', dials), direct)
      const plain = both((llm, other) =>
        [llm, other].map((host) => ({ host, port: PORT })),
      )
      for (const machine of ['tablet', 'router'])
        assert.deepEqual(
          await dial(machines, machine, plain),
          plain.map(() => 'direct'),
          machine,
        )
      machines.run(
        'router',
        'nft -f -',
        `table inet filter {
           chain forward {
             type filter hook forward priority 0; policy accept;
             tcp dport ${PORT} reject with tcp reset
           }
         }`,
      )
      assert.deepEqual(
        await dial(machines, 'client', dials),
        dials.map(() => 'ECONNREFUSED'),
        'rules of the router hold',
      )
      yori.child.kill('SIGTERM')
      await assert.rejects(yori.line(), 'none of them came to the listener')
    })

    it('leave open connections alone when they come, go and come again', async () => {
      await using machines = lab()
      await started(machines)
      const source = `
        const socket = require('net').connect(443, process.argv[1])
        socket.on('data', (data) => console.log(String(data)))
        socket.on('error', (error) => console.log(error.code))
        socket.on('connect', () => console.log('open'))
        process.on('SIGUSR1', () => socket.write('hello'))`
      const streams = [LLM4, LLM6].map((host) =>
        machines.spawn('client', process.execPath, ['-e', source, host]),
      )
      for (const stream of streams) assert.equal(await stream.line(), 'open')
      const alive = async (when: string): Promise<void> => {
        for (const stream of streams) {
          stream.child.kill('SIGUSR1')
          assert.equal(await stream.line(), 'direct', when)
        }
      }
      await alive('before')
      await apply(machines, mode)
      await listen(machines, mode)
      await alive('on')
      remove(machines)
      await alive('off')
      await apply(machines, mode)
      await alive('on again')
      const [answer] = await dial(machines, 'client', [{ host: LLM4, port: 443 }])
      assert.equal(answer, 'ok', 'new connections are steered')
    })

    it('are gone in one step, and without effect when their addresses run out', async () => {
      await using machines = lab()
      await started(machines)
      await apply(machines, mode)
      await listen(machines, mode)
      const dials = both((llm) => [{ host: llm, port: 443 }])
      assert.deepEqual(await dial(machines, 'client', dials), ['ok', 'ok'])
      const quic = both((llm) => [{ host: llm, port: 443, udp: true }])
      machines.run('router', 'nft flush set inet yori alive')
      assert.deepEqual(
        await dial(machines, 'client', [...dials, ...quic]),
        ['direct', 'direct', 'direct', 'direct'],
        'nobody has said for long that somebody is there',
      )
      const kept = both((llm, _other, net) => [{ host: llm, port: 443, from: `${net}4` }])
      assert.deepEqual(
        await dial(machines, 'client', kept),
        ['ECONNREFUSED', 'ECONNREFUSED'],
        'the blocked stay blocked',
      )
      machines.run('router', 'nft add element inet yori alive { tcp, udp }')
      assert.deepEqual(await dial(machines, 'client', dials), ['ok', 'ok'])
      machines.run('router', 'nft flush set inet yori llm4')
      machines.run('router', 'nft flush set inet yori llm6')
      assert.deepEqual(await dial(machines, 'client', dials), ['direct', 'direct'])
      machines.run('router', `nft add element inet yori names4 { ${LLM4} }`)
      machines.run('router', `nft add element inet yori names6 { ${LLM6} }`)
      assert.deepEqual(
        await dial(machines, 'client', [...dials, ...quic]),
        ['ok', 'ok', 'ECONNREFUSED', 'ECONNREFUSED'],
        "a resolver's own",
      )
      remove(machines)
      remove(machines)
      assert.equal(machines.run('router', 'nft list tables').trim(), '')
    })

    if (mode === 'nft-tproxy')
      it('send clients straight on when no listener is there', async () => {
        await using machines = lab()
        await started(machines)
        await apply(machines, mode)
        const dials = both((llm) => [{ host: llm, port: 443 }])
        assert.deepEqual(await dial(machines, 'client', dials), ['direct', 'direct'])
        const yori = await listen(machines, mode)
        assert.deepEqual(await dial(machines, 'client', dials), ['ok', 'ok'])
        const gone = once(yori.child, 'exit')
        yori.child.kill('SIGKILL')
        await gone
        assert.deepEqual(await dial(machines, 'client', dials), ['direct', 'direct'])
      })
  })
