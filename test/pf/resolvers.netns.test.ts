/**
 * The lines for resolvers, in the resolvers themselves: a router with dnsmasq or Unbound that
 * reads what `yori pf generate` prints there, and a phone that knows only that resolver.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { packageFile } from '../../src/core/package-root.js'
import type { DnsSaid, DnsType } from '../support/ask-dns.js'
import { Namespaces } from '../support/namespaces.js'
import { needs } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'

const ROUTER = '192.168.77.1'
const ROUTER6 = 'fd00:77::1'
/** `192.168.77.1` and `fd00:77::1`, as RFC 1035 and RFC 3596 write them. */
const [A, AAAA] = ['c0a84d01', 'fd000077000000000000000000000001']
/** `1 . alpn=h2`: priority, root, key 1 of four octets. RFC 9460, section 2.2. */
const H2_ONLY = '0001000001000302' + '6832'
const PAGE = 'yori.home.arpa'
const CHAT = 'chatgpt.com'
const NXDOMAIN = 3

const main = packageFile('dist', 'src', 'cli', 'main.js')
const askDns = packageFile('dist', 'test', 'support', 'ask-dns.js')

/** A router with a network of its own, and what `pf generate` prints on it. */
async function house(folder: string, backend: string) {
  const machines = new Namespaces(['router', 'phone'])
  machines.link({
    from: {
      machine: 'router',
      name: 'lan0',
      addresses: [`${ROUTER}/24`, `${ROUTER6}/64`],
    },
    to: {
      machine: 'phone',
      name: 'wlan0',
      addresses: ['192.168.77.2/24', 'fd00:77::2/64'],
    },
  })
  const config = `${folder}/yori.conf`
  await writeFile(
    config,
    JSON.stringify({ state_dir: `${folder}/state`, steer: { interfaces: ['lan0'] } }),
  )
  /** Words, since a path may have a blank. */
  const run = (machine: string, ...words: readonly string[]): string =>
    execFileSync('ip', machines.words(machine, process.execPath, ...words), {
      encoding: 'utf8',
    })
  const generate = ['pf', 'generate', '--backend', backend, '--config', config]
  const lines = run('router', main, ...generate)
  const ask = (server: string, asks: readonly (readonly [string, DnsType])[]) =>
    run('phone', askDns, server, JSON.stringify(asks))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as DnsSaid)
  return { machines, lines, ask }
}

describe('a resolver that reads our lines', () => {
  for (const server of [ROUTER, ROUTER6])
    it(`Unbound gives the page a name and no hint of h3, asked at ${server}`, async function () {
      needs(this, 'Linux', 'root', 'ip', 'unbound', 'network namespaces with IPv6')
      await using folder = await tempFolder()
      const { machines, lines, ask } = await house(folder.path, 'unbound')
      await using _ = machines
      const ours = folder.file('yori-lines.conf')
      await writeFile(ours, lines)
      const conf = folder.file('unbound.conf')
      const own = [
        'server:',
        ...[`interface: ${ROUTER}`, `interface: ${ROUTER6}`],
        ...[
          'access-control: 192.168.77.0/24 allow',
          'access-control: fd00:77::/64 allow',
        ],
        ...['username: ""', 'chroot: ""', `pidfile: "${folder.file('pid')}"`],
        ...['use-syslog: no', 'module-config: "iterator"', 'do-daemonize: no'],
        ...[`include: "${ours}"`, ''],
      ]
      await writeFile(conf, own.join('\n'))
      machines.run('router', `unbound-checkconf ${conf}`)
      machines.spawn('router', 'unbound', ['-c', conf])
      assert.deepEqual(
        ask(server, [
          [PAGE, 'A'],
          [PAGE, 'AAAA'],
          [CHAT, 'HTTPS'],
          ['use-application-dns.net', 'A'],
        ]),
        [
          { code: 0, answers: [A] },
          { code: 0, answers: [AAAA] },
          { code: 0, answers: [H2_ONLY] },
          { code: NXDOMAIN, answers: [] },
        ],
      )
    })

  it('dnsmasq gives the page a name, and puts what it answers into the sets of nftables', async function () {
    needs(this, 'Linux', 'root', 'ip', 'nft', 'dnsmasq', 'network namespaces with IPv6')
    await using folder = await tempFolder()
    const { machines, lines, ask } = await house(folder.path, 'dnsmasq')
    await using _ = machines
    const conf = folder.file('dnsmasq.conf')
    await writeFile(conf, lines)
    machines.run('router', `dnsmasq --test --conf-file=${conf}`)
    const sets = ['names4 { type ipv4_addr; }', 'names6 { type ipv6_addr; }']
    const table = `table inet yori {\n${sets.map((set) => `set ${set}\n`).join('')}}\n`
    machines.run('router', 'nft -f -', table)
    const plain = ['--no-resolv', '--no-hosts', '--user=root', '--keep-in-foreground']
    // Who answers for the rest of the world.
    machines.spawn('router', 'dnsmasq', [
      ...[...plain, '--conf-file=/dev/null', '--port=5353', '--pid-file='],
      ...['--listen-address=127.0.0.1', '--bind-interfaces'],
      ...['--host-record=chatgpt.com,198.51.100.7,2001:db8::7'],
      ...['--host-record=www.example.org,198.51.100.8', '--dns-rr=chatgpt.com,65,000100'],
    ])
    machines.spawn('router', 'dnsmasq', [
      ...[...plain, `--conf-file=${conf}`, '--pid-file=', '--server=127.0.0.1#5353'],
      ...[`--listen-address=${ROUTER},${ROUTER6}`, '--bind-interfaces'],
    ])
    const [page, page6, canary] = ask(ROUTER, [
      [PAGE, 'A'],
      [PAGE, 'AAAA'],
      ['use-application-dns.net', 'A'],
    ])
    assert.deepEqual(page, { code: 0, answers: [A] })
    assert.ok(page6?.answers.includes(AAAA))
    assert.deepEqual(canary, { code: NXDOMAIN, answers: [] })
    assert.deepEqual(
      ask(ROUTER6, [
        [CHAT, 'A'],
        [CHAT, 'AAAA'],
        [CHAT, 'HTTPS'],
        ['www.example.org', 'A'],
      ]),
      [
        { code: 0, answers: ['c6336407'] },
        { code: 0, answers: ['20010db8000000000000000000000007'] },
        { code: 0, answers: [] },
        { code: 0, answers: ['c6336408'] },
      ],
    )
    const held = machines.run('router', 'nft list table inet yori')
    assert.match(held, /names4 \{[^}]*elements = \{ 198\.51\.100\.7 \}/)
    assert.match(held, /names6 \{[^}]*elements = \{ 2001:db8::7 \}/)
  })
})
