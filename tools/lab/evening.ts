// Usage: npm run evening [-- FOLDER]
// A parent's first evening, in network namespaces (root, Linux, nftables, dnsmasq, Chromium): a
// router on which YORI is installed as a service, with the three commands that it takes, and a
// phone that knows only the resolver of DHCP. Prints what came of each step and after how many
// seconds; pictures go into FOLDER.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { packageFile } from '../../src/core/package-root.js'
import { Namespaces } from '../../test/support/namespaces.js'
import type { Program } from '../../test/support/namespaces.js'
import { NAMESPACES, whyNot } from '../../test/support/needs.js'
import { openTemp } from '../../test/support/open-package.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { TestCa } from '../../test/support/test-ca.js'
import { API, CHAT, PAGE_URL, PROVIDER, ROUTER } from './evening-places.js'
import { routerShell } from './installed-router.js'

const MINUTE_MS = 60_000
const INSTALLING = ['useradd', 'setpriv', 'mount namespaces'] as const
const HEALTH = 'http://127.0.0.1:8443/health'
const { positionals } = parseArgs({ allowPositionals: true })
const lack = whyNot(...NAMESPACES, ...INSTALLING, 'curl', 'dnsmasq', 'certutil')
if (lack !== undefined) {
  console.error(lack)
  process.exit(1)
}

await using folder = await tempFolder('yori-', openTemp())
// YORI's own user reads the roots there.
chmodSync(folder.path, 0o711)
const pictures = positionals[0] ?? folder.path
const { execPath: node } = process
const own = (name: string): string => packageFile('dist', 'tools', 'lab', `${name}.js`)
const file = (name: string, text: string): string => {
  const path = folder.file(name)
  writeFileSync(path, text)
  return path
}

const ca = new TestCa()
const issued = ca.issue({ names: [API, CHAT] })
const roots = file('net.pem', ca.certificatePem)
await using net = new Namespaces(['router', 'phone', 'net'])
const lan = ['192.168.77.1/24', '192.168.77.2/24'] as const
net.link({
  from: { machine: 'router', name: 'lan0', addresses: [lan[0]] },
  to: { machine: 'phone', name: 'wlan0', addresses: [lan[1]] },
})
net.link({
  from: { machine: 'router', name: 'wan0', addresses: ['198.51.100.1/24'] },
  to: {
    machine: 'net',
    name: 'eth0',
    addresses: Object.values(PROVIDER).map((address) => `${address}/24`),
  },
})
net.run('phone', `ip route add default via ${ROUTER}`)
net.run('net', 'ip route add 192.168.77.0/24 via 198.51.100.1')
net.run('router', 'sysctl -qw net.ipv4.ip_forward=1')

// What `ip netns exec` lays over /etc: the resolver that DHCP told.
const etc = `/etc/netns/${net.name('phone')}`
mkdirSync(etc, { recursive: true })
try {
  writeFileSync(`${etc}/resolv.conf`, `nameserver ${ROUTER}\n`)
  await evening()
} finally {
  rmSync(etc, { recursive: true, force: true })
}

async function evening(): Promise<void> {
  const pem = [
    file('provider.pem', issued.certificatePem),
    file('provider.key', issued.keyPem),
  ]
  await net.spawn('net', node, [own('provider'), ...pem]).line()
  const hosts = Object.entries(PROVIDER).map(
    ([name, ip]) => `--host-record=${name},${ip}`,
  )
  const plain = ['--no-resolv', '--no-hosts', '--user=root', '--keep-in-foreground']
  net.spawn('net', 'dnsmasq', [
    ...plain,
    '--conf-file=/dev/null',
    '--pid-file=',
    ...hosts,
  ])
  const resolve = Object.entries(PROVIDER).map(([name, ip]) => [name, `${ip}:443`])
  const config = JSON.stringify({
    ...{ state_dir: '/var/db/yori', log: { file: '/var/log/yori/yori.log' } },
    ...{ mode: 'enforce', access: { trust_page_port: 80 } },
    upstream: { extra_ca: [roots], resolve: Object.fromEntries(resolve) as unknown },
    steer: { interfaces: ['lan0'], families: 'ipv4' },
    enforcement: { enabled: true, consent_accepted: true, timezone: 'UTC' },
  })
  const resolverWith = (lines: string): Program =>
    net.spawn('router', 'dnsmasq', [
      ...[...plain, `--conf-file=${lines}`, '--pid-file=', '--bind-interfaces'],
      ...[`--listen-address=${ROUTER}`, `--server=${PROVIDER[CHAT]}`],
    ])
  // The router's own, as before YORI came.
  const resolver = resolverWith('/dev/null')
  const shell = await routerShell(net, 'router', {
    ...{ folder: folder.path, config, resolver: ROUTER },
  })
  const begun = Date.now()
  const { yori } = shell.install()
  const took = ((Date.now() - begun) / 1000).toFixed(1)
  console.log(`yori service install took ${took} s; seconds after it:`)
  const told = new Date()
  const say = (what: string): void => {
    const seconds = (Date.now() - told.getTime()) / 1000
    console.log(`${seconds.toFixed(1).padStart(6)} s  ${what}`)
  }

  const waits = '--retry 60 --retry-delay 1 --retry-all-errors'
  net.run('router', `curl -sS -o ${folder.file('health')} ${waits} ${HEALTH}`)
  say('YORI answers')
  yori('pf apply')
  say('command 1, yori pf apply: steering is on')
  const lines = file('dnsmasq.conf', yori('pf generate --backend dnsmasq'))
  say('command 2, yori pf generate: lines for the resolver')
  resolver.child.kill('SIGKILL')
  await once(resolver.child, 'exit')
  resolverWith(lines)
  const curl = 'curl -sS --max-time 20 --retry 20 --retry-delay 1 --retry-all-errors'
  const root = net.run('phone', `${curl} ${PAGE_URL}yori-root.pem`)
  say('the phone has the certificate, from the page by name')
  const trusted = file('phone.pem', ca.certificatePem + root)
  const phone = async (when: string): Promise<Record<string, unknown>> => {
    const words = [own('phone'), trusted, pictures, when]
    const line = await net.spawn('phone', node, words).line()
    return JSON.parse(line) as Record<string, unknown>
  }
  const before = await phone('before')
  assert.equal(before['status'], 200, JSON.stringify(before))
  assert.match(String(before['test']), /^It works/, JSON.stringify(before))
  say(`the test of the page: ${String(before['test'])}`)
  const words = JSON.stringify({ model: 'gpt-4o', messages: [] })
  const asked = `https://${API}/v1/chat/completions --cacert ${trusted}`
  net.run('phone', `${curl} ${asked} -H content-type:application/json -d ${words}`)
  assert.match(yori('audit list'), new RegExp(`${API} +gpt-4o +3\\+4`))
  say('a chat is recorded')
  net.run('phone', `${curl} -o ${folder.file('chat')} https://${CHAT}/ --cacert ${roots}`)
  say(`${CHAT} passes, tunnelled: its own certificate is shown`)

  const clock = (ms: number): string =>
    new Date(Date.now() + ms).toISOString().slice(11, 16)
  const hours = `--start ${clock(-MINUTE_MS)} --end ${clock(30 * MINUTE_MS)}`
  yori(`time add bedtime ${hours} --action block`)
  say('command 3, yori time add bedtime')
  const after = await phone('after')
  assert.match(String(after['chat']), /ERR_SSL|ERR_CONNECTION/)
  assert.equal(after['blocked'], 403)
  say(`bedtime: ${CHAT} is refused by name, ${API} shows the block page`)
}
