/** What a client on the network is told of a destination, and what one on this machine is. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'
import { Namespaces } from '../../support/namespaces.js'
import { tempFolder } from '../../support/temp-folder.js'
import { NAMESPACES, needs } from '../../support/needs.js'

const YORI = packageFile('dist', 'src', 'cli', 'main.js')
const DNS = packageFile('dist', 'test', 'support', 'print-dns.js')
const NAMES = [
  ...['inside.test=192.168.77.5', 'site.test=fec0::77:5', 'dead.test=203.0.113.77'],
  ...['tunnel.test=2001:0:77::5', 'us.test=198.51.100.77'],
]
/** Prints what comes back for a request, head and body. */
const ASK = `
  const [port, host, text] = process.argv.slice(2)
  const socket = require('node:net').connect(Number(port), host)
  socket.on('data', (chunk) => process.stdout.write(chunk))
  socket.write(text.replaceAll('~', '\\r\\n'))
  socket.setTimeout(10000, () => socket.destroy())
`.replaceAll('\n', ';')

describe('a client is told of a destination', () => {
  before(function () {
    needs(this, ...NAMESPACES)
  })

  it('no address that only our resolver knows, unless it is on this machine', async () => {
    await using folder = await tempFolder()
    await using machines = new Namespaces(['router', 'client'])
    machines.link({
      from: { machine: 'router', name: 'lan', addresses: ['10.77.0.1/24'] },
      to: { machine: 'client', name: 'eth', addresses: ['10.77.0.2/24'] },
    })
    machines.run('router', 'ip address add 198.51.100.77/24 dev lan')
    // A host on which nobody listens.
    machines.run('client', 'ip address add 203.0.113.77/32 dev lo')
    machines.run('router', 'ip route add 203.0.113.77/32 via 10.77.0.2')
    const dns = await machines.spawn('router', process.execPath, [DNS, ...NAMES]).line()
    const config = {
      listen: '0.0.0.0:8443',
      state_dir: folder.file('state'),
      upstream: { dns: [dns] },
      timeouts: { connect: 2 },
      access: { clients: ['10.77.0.0/24'], relay: 'all' },
    }
    writeFileSync(folder.file('yori.conf'), JSON.stringify(config))
    const words = [process.execPath, YORI, 'run', '--config', folder.file('yori.conf')]
    const quiet = ['-c', 'exec "$@" 2>"$0"', folder.file('log'), ...words]
    const yori = machines.spawn('router', 'sh', quiet)
    while (!(await yori.line()).startsWith('Ctrl-C'));
    writeFileSync(folder.file('ask.cjs'), ASK)
    const ask = (machine: string, host: string, request: string): string => {
      const text = `${request} HTTP/1.1~Host: x~Connection: close~~`
      const words = [process.execPath, folder.file('ask.cjs'), '8443', host, text]
      return execFileSync('ip', machines.words(machine, ...words), { encoding: 'utf8' })
    }
    for (const [name, address, code] of [
      ['inside.test', '192.168.77.5', 'YORI_DESTINATION_REFUSED'],
      ['site.test', 'fec0::77:5', 'YORI_DESTINATION_REFUSED'],
      ['tunnel.test', '2001:0:77::5', 'YORI_DESTINATION_REFUSED'],
      ['us.test', '198.51.100.77', 'YORI_UPSTREAM_LOOP'],
      ['dead.test', '203.0.113.77', 'YORI_UPSTREAM_UNREACHABLE'],
    ] as const) {
      const requests = [`GET http://${name}/`]
      if (name === 'inside.test') requests.push(`CONNECT ${name}:443`)
      for (const request of requests) {
        const far = ask('client', '10.77.0.1', request)
        assert.match(far, new RegExp(`${code}[^]*${name}`), request)
        assert.ok(!far.includes(address), far)
        assert.doesNotMatch(far, /192\.168|fec0|2001:|198\.51|203\.0/)
        const near = ask('router', '127.0.0.1', request)
        assert.ok(near.includes(address), near)
      }
    }
  })
})
