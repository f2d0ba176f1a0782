/**
 * Every finding of `yori doctor`, by making it true: each row stands beside a machine that is
 * well, on which it is not found. What only a router can show is in `doctor.netns.test.ts`.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openAuthority } from '../../ca/authority.js'
import { loadConfig } from '../../config/load.js'
import type { Config } from '../../config/schema.js'
import { steeringFiles } from '../../pf/steering-files.js'
import { caSettingsOf } from '../../src/assembly/from-config/ca.js'
import { thisMachine } from '../../src/doctor/doctor-check.js'
import type { Check, Level, Machine, Patient } from '../../src/doctor/doctor-check.js'
import { hintsCheck, resolverCheck } from '../../src/doctor/doctor-names.js'
import {
  caCheck,
  clockCheck,
  diskCheck,
  listenCheck,
} from '../../src/doctor/doctor-own.js'
import {
  bypassCheck,
  forwardingCheck,
  interfacesCheck,
  letInCheck,
  rulesCheck,
  steeringCheck,
  tableCheck,
} from '../../src/doctor/doctor-steering.js'
import { probeCheck } from '../../src/doctor/doctor-probe.js'
import { needs } from '../support/needs.js'
import type { Need } from '../support/needs.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

const MIB = 1024 * 1024
const DAY_MS = 86_400_000
const NAME = 'api.openai.com'

const TABLE = `table inet yori {
  set llm4 {
    elements = { 203.0.113.7 timeout 30m }
  }
}`

/** What programs and files say on a machine that is well, by the words they are asked with. */
interface Well {
  readonly run: Record<string, string | undefined>
  readonly read: Record<string, string | undefined>
  free: number
  platform: NodeJS.Platform
  interfaces: ReturnType<Machine['interfaces']>
  config: Config
  /** RFC 1035 §4.1.1's answer code, and SvcParams of RFC 9460 for HTTPS records. */
  dns: { code: number; address: readonly number[]; parameters: Buffer; canary: boolean }
}

interface Row {
  readonly check: Check
  readonly level: Level
  readonly what: RegExp
  readonly mend?: RegExp
  readonly needs?: readonly Need[]
  /** Before the first look, where a well machine is no place for the check. */
  readonly given?: (well: Well) => void
  readonly wrong: (well: Well, place: Place) => void | Promise<void>
}

interface Place {
  readonly folder: TempFolder
  readonly clock: ManualClock
  readonly files: ReturnType<typeof steeringFiles>
  /** Whoever asks; undefined: as it is. */
  uid?: number
}

function program(folder: TempFolder, name: string, says: string): void {
  const text = `#!/bin/sh\ncat <<'EOF'\n${says}\nEOF\n`
  writeFileSync(folder.file(name), text, { mode: 0o755 })
}

const off = (files: Place['files'], cause: string): void =>
  writeFileSync(files.offPeriods, `1 1800000000 1800000009 ${cause} open\n`)

const status = (files: Place['files'], holds: string, why = ''): void =>
  writeFileSync(
    files.status,
    `wish=on\nholds=${holds}\nsince=1800000000\nbackend=nft-tproxy\nnode=1\nwhy=${why}\ntold=1\n`,
  )

const plan = (files: Place['files'], backend: string): void =>
  writeFileSync(files.plan, `backend=${backend}\n`)

const ROWS: readonly Row[] = [
  {
    ...{ check: clockCheck, level: 'notice', what: /nobody sets the clock/ },
    mend: /set-ntp/,
    wrong: ({ run }) => void (run['timedatectl'] = 'NTPSynchronized=no\n'),
  },
  {
    ...{ check: diskCheck, level: 'bad', what: /63 MiB .* records will be lost/ },
    wrong: (well) => void (well.free = 64 * MIB - 1),
  },
  {
    ...{ check: diskCheck, level: 'notice', what: /511 MiB of 10000 are free/ },
    wrong: (well) => void (well.free = 512 * MIB - 1),
  },
  {
    ...{ check: caCheck, level: 'notice', what: /none in .* yet/, mend: /ca init/ },
    wrong: (well, { folder }) =>
      void (well.config = {
        ...well.config,
        ca: { ...well.config.ca, directory: folder.file('nowhere') },
      }),
  },
  {
    ...{ check: caCheck, level: 'notice', what: /issuing CA ends/, mend: /ca rotate/ },
    wrong: ({ config }, { clock }) =>
      clock.advance((config.ca.issuing_days - 5) * DAY_MS),
  },
  {
    ...{ check: caCheck, level: 'bad', what: /expired/, mend: /set the clock/ },
    wrong: ({ config }, { clock }) =>
      clock.advance((config.ca.issuing_days + 1) * DAY_MS),
  },
  {
    ...{
      check: caCheck,
      level: 'bad',
      what: /before .* first day/,
      mend: /set the clock/,
    },
    wrong: (_well, { clock }) => clock.advance(-400 * DAY_MS),
  },
  {
    ...{ check: listenCheck, level: 'bad', what: /127\.0\.0\.1:1 does not answer/ },
    mend: /systemctl start yori/,
    wrong: (well) => void (well.config = { ...well.config, listen: ['127.0.0.1:1'] }),
  },
  {
    ...{ check: listenCheck, level: 'bad', what: /answers, but not by TLS for/ },
    mend: /ca show/,
    wrong: ({ config, read }) =>
      void (read[`${config.state_dir}/yori-root.pem`] = 'no certificate'),
  },
  {
    ...{ check: resolverCheck, level: 'bad', what: /api\.openai\.com is not found/ },
    mend: /upstream\.dns/,
    wrong: ({ dns }) => void (dns.code = 3),
  },
  {
    ...{ check: resolverCheck, level: 'good' },
    what: /api\.openai\.com is 192\.0\.2\.9:443, by upstream\.resolve/,
    wrong: (well) => {
      const resolve = { '*.openai.com': '192.0.2.9:443' }
      well.dns.code = 3
      well.config = { ...well.config, upstream: { ...well.config.upstream, resolve } }
    },
  },
  {
    ...{ check: resolverCheck, level: 'bad', what: /127\.0\.0\.9, this machine/ },
    mend: /does not override/,
    wrong: ({ dns }) => void (dns.address = [127, 0, 0, 9]),
  },
  {
    ...{ check: hintsCheck, level: 'notice', what: /did not say what it offers/ },
    wrong: ({ dns }) => void (dns.code = 2),
  },
  {
    ...{ check: hintsCheck, level: 'notice', what: /offers ECH and HTTP\/3 for/ },
    mend: /--backend unbound/,
    wrong: ({ dns }) =>
      void (dns.parameters = Buffer.from('000100030268330005000101', 'hex')),
  },
  {
    ...{ check: hintsCheck, level: 'notice', what: /use-application-dns\.net has an/ },
    mend: /NXDOMAIN/,
    wrong: ({ dns }) => void (dns.canary = true),
  },
  {
    ...{ check: hintsCheck, level: 'notice', what: /no DNS server is known/ },
    wrong: (well) => {
      well.config = { ...well.config, upstream: { ...well.config.upstream, dns: [] } }
      well.read['/etc/resolv.conf'] = '# nothing\n'
    },
  },
  {
    ...{ check: interfacesCheck, level: 'bad', what: /lan0 is not on this machine/ },
    mend: /one of eth0/,
    wrong: (well) => void (well.interfaces = { lo: [], eth0: [] }),
  },
  {
    ...{ check: interfacesCheck, level: 'bad', what: /lan0 is down/, mend: /lan0 up/ },
    wrong: ({ read }) => void (read['/sys/class/net/lan0/operstate'] = 'down\n'),
  },
  {
    ...{ check: interfacesCheck, level: 'notice', what: /may pass by over IPv6/ },
    mend: /families: both/,
    wrong: (well) => steered(well, { families: 'ipv4' }),
  },
  {
    ...{ check: forwardingCheck, level: 'notice', what: /ip_forward is 0/, mend: /=1/ },
    wrong: ({ read }) => void (read['/proc/sys/net/ipv4/ip_forward'] = '0\n'),
  },
  {
    ...{ check: forwardingCheck, level: 'notice', what: /forwarding cannot be read/ },
    wrong: ({ read }) =>
      void (read['/proc/sys/net/ipv6/conf/all/forwarding'] = undefined),
  },
  {
    ...{ check: tableCheck, level: 'notice', what: /is not written yet/, mend: /start/ },
    wrong: ({ read }, { files }) => void (read[files.table] = undefined),
  },
  {
    ...{ check: tableCheck, level: 'bad', what: /no endpoint could be looked up/ },
    mend: /resolver/,
    wrong: ({ read }, { files }) => void (read[files.table] = '# nothing\n'),
  },
  {
    ...{ check: tableCheck, level: 'notice', what: /11 minutes old/ },
    wrong: (_well, { clock }) => clock.advance(11 * 60_000),
  },
  {
    ...{ check: steeringCheck, level: 'notice', what: /nobody asked/, mend: /pf apply/ },
    wrong: (_well, { files }) => writeFileSync(files.desired, 'off\n'),
  },
  {
    ...{ check: steeringCheck, level: 'bad', what: /no supervisor runs/ },
    mend: /service install/,
    wrong: (_well, { files }) => writeFileSync(files.pid, '1\n'),
  },
  {
    ...{ check: bypassCheck, level: 'notice', what: /not seen: nft/, mend: /sudo/ },
    needs: ['Linux', 'root', 'nft'],
    wrong: (_well, { folder }) => void (process.env['PATH'] = folder.path),
  },
  {
    ...{ check: steeringCheck, level: 'bad', what: /has not said how it stands/ },
    wrong: (_well, { files }) => writeFileSync(files.status, ''),
  },
  {
    ...{ check: steeringCheck, level: 'bad', what: /asked for, and off: no-answer/ },
    mend: /pf status/,
    wrong: (_well, { files }) => status(files, 'off', 'no-answer'),
  },
  {
    ...{ check: steeringCheck, level: 'notice', what: /off 1 times in the last 7 days/ },
    wrong: (_well, { files }) => off(files, 'ended'),
  },
  {
    ...{ check: steeringCheck, level: 'notice', what: /another program emptied/ },
    mend: /flush ruleset/,
    wrong: (_well, { files }) => off(files, 'flushed'),
  },
  {
    ...{ check: rulesCheck, level: 'bad', what: /`inet yori` is not loaded/ },
    mend: /pf apply/,
    wrong: ({ run }) => void (run['nft list table'] = undefined),
  },
  {
    ...{
      check: rulesCheck,
      level: 'bad',
      what: /no LLM address is in it/,
      mend: /ls -l/,
    },
    wrong: ({ run }) => void (run['nft list table'] = 'table inet yori {\n}\n'),
  },
  {
    ...{ check: rulesCheck, level: 'bad', what: /`ip -6 rule` leads marked/ },
    mend: /pf apply/,
    wrong: ({ run }) => void (run['ip -6 rule'] = '0: from all lookup local\n'),
  },
  {
    ...{ check: rulesCheck, level: 'bad', what: /anchor `yori` is empty/, mend: /apply/ },
    wrong: ({ run }, { files }) => {
      plan(files, 'pf')
      run['pfctl -a yori -s nat'] = '\n'
    },
  },
  {
    ...{
      check: rulesCheck,
      level: 'bad',
      what: /table yori_llm is empty/,
      mend: /apply/,
    },
    wrong: ({ run }, { files }) => {
      plan(files, 'pf')
      run['pfctl -a yori -t yori_llm'] = '\n'
    },
  },
  ...(
    [
      ['notice', 'probe_inet=missed', /IPv4: .* asked again/, undefined],
      ['bad', 'probe_inet6=silent', /IPv6: .* is dropped/, /pf check/],
      ['bad', 'probe_inet=other', /IPv4: somebody else answered/, /nft list ruleset/],
      ['notice', 'probe_inet6=unsure', /IPv6: .* clients have/, /let yori-probe in/],
      ['notice', 'probe_inet=unable', /IPv4: .* could not be made/, /unshare/],
      ['bad', 'link=renamed', /has another name now/, /its name, then yori pf apply/],
      ['bad', 'link=enslaved', /port of a bridge or bond/, /bridge or bond, then/],
    ] as const
  ).map(([level, line, what, mend]): Row => ({
    ...{ check: steeringCheck, level, what, ...(mend === undefined ? {} : { mend }) },
    wrong: (_well, { files }) => {
      status(files, 'both')
      appendFileSync(files.status, `${line}\n`)
    },
  })),
  {
    ...{ check: letInCheck, level: 'notice', what: /inet fw input may drop steered/ },
    mend: /nft insert rule inet fw input meta mark 0x796f accept/,
    needs: ['Linux'],
    wrong: (_well, { folder }) => {
      // In the words in which nft lists them: a device of the network, or all of it?
      program(
        folder,
        'nft',
        `table inet fw {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "lan0" ip saddr 10.77.0.77 tcp dport 443 drop
  }
}`,
      )
      process.env['PATH'] = `${folder.path}:/usr/bin:/bin`
    },
  },
  {
    ...{ check: probeCheck, level: 'bad', what: /needs network namespaces: Linux/ },
    wrong: (well) => void (well.platform = 'freebsd'),
  },
  {
    ...{ check: probeCheck, level: 'bad', what: /needs root/, mend: /sudo/ },
    wrong: (_well, place) => void (place.uid = 1000),
  },
  {
    ...{ check: probeCheck, level: 'bad', what: /no endpoint is opened/ },
    wrong: (well, place) => {
      place.uid = 0
      well.config = { ...well.config, endpoints: [] }
    },
  },
  {
    ...{ check: probeCheck, level: 'bad', what: /no set `lan_if`/, mend: /pf apply/ },
    wrong: ({ run }, place) => {
      place.uid = 0
      run['nft list set'] = undefined
    },
  },
  {
    ...{ check: probeCheck, level: 'bad', what: /do not steer yori-doctor: .* others'/ },
    mend: /pf apply/,
    given: ({ run }) => void (run['nft list set'] = undefined),
    wrong: ({ run }, place) => {
      place.uid = 0
      run['nft list set'] = 'elements = { "lan0" }'
    },
  },
  {
    ...{ check: probeCheck, level: 'bad', what: /could not be set up: ip: .*ENOENT/ },
    wrong: ({ run }, place) => {
      place.uid = 0
      run['nft list set'] = 'elements = { "lan0", "yori-doctor" }'
      process.env['PATH'] = place.folder.path
    },
  },
  {
    ...{ check: bypassCheck, level: 'bad', what: /no IPv6 listener/, mend: /generate/ },
    wrong: (well) => {
      steered(well, { families: 'ipv6' })
      well.config = { ...well.config, listen: ['0.0.0.0:8443'] }
    },
  },
]

function steered(well: Well, more: Partial<Config['steer']>): void {
  well.config = { ...well.config, steer: { ...well.config.steer, ...more } }
}

describe('each finding of yori doctor', function () {
  let dns: { address: string; answers: Well['dns']; close: () => void }
  let health: { listen: string; close: () => void }
  let folder: TempFolder
  let supervisor: ChildProcess
  let well: () => Promise<{ well: Well; place: Place }>

  before(async () => {
    folder = await tempFolder()
    dns = await startDns()
    health = await startHealth()
    supervisor = spawn('sleep', ['600'], { argv0: 'yori-supervisor', stdio: 'ignore' })
    await once(supervisor, 'spawn')
    let serial = 0
    well = async () => {
      const state = folder.file(`state${serial++}`)
      const config = configOf(state, health.listen, dns.address)
      const files = steeringFiles(state)
      for (const directory of [state, files.directory]) mkdirSync(directory)
      const clock = new ManualClock(1_800_000_100_000)
      const authority = folder.file('ca')
      const settings = { ...caSettingsOf(config), directory: authority, clock }
      await openAuthority(settings)
      writeFileSync(files.desired, 'on\n')
      writeFileSync(files.table, '203.0.113.7\n')
      utimesSync(files.table, clock.now() / 1000, clock.now() / 1000)
      writeFileSync(files.pid, `${supervisor.pid}\n`)
      plan(files, 'nft-tproxy')
      status(files, 'both')
      Object.assign(dns.answers, calm())
      return {
        well: {
          run: {
            timedatectl: 'NTPSynchronized=yes\n',
            'nft list table': TABLE,
            'ip -4 rule': '100: from all fwmark 0x796f lookup 796\n',
            'ip -6 rule': '100: from all fwmark 0x796f lookup 796\n',
            // Of other rules than ours: with ours it would really be tried.
            'nft list set': 'elements = { "lan0" }',
            'pfctl -a yori -s nat': 'rdr on em1\n',
            'pfctl -a yori -t yori_llm': '203.0.113.7\n',
          },
          read: {
            '/sys/class/net/lan0/operstate': 'up\n',
            '/proc/sys/net/ipv4/ip_forward': '1\n',
            '/proc/sys/net/ipv6/conf/all/forwarding': '1\n',
            [files.table]: '203.0.113.7\n',
          },
          free: 1000 * MIB,
          platform: 'linux',
          interfaces: { lan0: [globalOne] },
          config: { ...config, ca: { ...config.ca, directory: authority } },
          dns: dns.answers,
        },
        place: { folder, clock, files },
      }
    }
  })

  after(async () => {
    dns.close()
    health.close()
    supervisor.kill('SIGKILL')
    await folder[Symbol.asyncDispose]()
  })

  for (const row of ROWS)
    it(`${row.check.name}: ${row.what.source}`, async function () {
      needs(this, ...(row.needs ?? []))
      const { well: machine, place } = await well()
      row.given?.(machine)
      const patient = (): Patient => patientOf(machine, place)
      const { getuid } = process
      // Whoever runs the tests: root asks on a machine that is well.
      process.getuid = () => 0
      const before = await Promise.resolve(row.check.look(patient())).finally(() =>
        Object.assign(process, { getuid }),
      )
      assert.deepEqual(
        before.filter(({ what }) => row.what.test(what)),
        [],
        'on a machine that is well',
      )
      const path = process.env['PATH']
      await row.wrong(machine, place)
      const { uid } = place
      if (uid !== undefined) process.getuid = () => uid
      const looked = Promise.resolve(row.check.look(patient()))
      const all = await looked.finally(() => {
        process.env['PATH'] = path
        Object.assign(process, { getuid })
      })
      const found = all.filter(({ what }) => row.what.test(what))
      assert.equal(found.length, 1, JSON.stringify(all))
      assert.equal(found[0]?.level, row.level)
      if (row.mend !== undefined) assert.match(found[0]?.mend ?? '', row.mend)
    })

  it('has its row here, or is made true on a router', () => {
    const rows: Record<string, number> = {
      'doctor-own.ts': 8,
      'doctor-names.ts': 6,
      // Of these, rules that go around steering (2) and those that let nothing in (1).
      'doctor-steering.ts': 25,
      // Of these, whom the probe met on a router (3).
      'doctor-probe.ts': 9,
    }
    for (const [file, count] of Object.entries(rows)) {
      const path = new URL(`../../../src/doctor/${file}`, import.meta.url)
      const source = readFileSync(path, 'utf8')
      const found = [...source.matchAll(/\b(?:bad|notice)\(/g)].length
      assert.equal(found, count, `${file}: a new finding needs a row`)
    }
  })
})

const globalOne = {
  address: '2001:db8::1',
  family: 'IPv6',
  netmask: 'ffff:ffff:ffff:ffff::',
  mac: '02:00:5e:10:00:01',
  internal: false,
  cidr: '2001:db8::1/64',
  scopeid: 0,
} as const

function patientOf(well: Well, { clock }: Place): Patient {
  const machine: Machine = {
    platform: well.platform,
    space: () => ({ free: well.free, total: 10_000 * MIB }),
    interfaces: () => well.interfaces,
    read: (path) => well.read[path],
    run: (...words) => {
      if (words[0] === 'stat') return thisMachine.run(...words)
      const asked = words.join(' ')
      const known = Object.keys(well.run).find((start) => asked.startsWith(start))
      return known === undefined ? undefined : well.run[known]
    },
  }
  return { config: well.config, source: 'a test', clock, machine }
}

function configOf(state: string, listen: string, server: string): Config {
  const loaded = loadConfig({ env: {}, cwd: '/', searched: [], stateDir: state })
  assert.ok(loaded.kind === 'ok')
  const { config } = loaded
  const [endpoint] = config.endpoints
  assert.ok(endpoint !== undefined)
  return {
    ...config,
    listen: [listen],
    endpoints: [{ ...endpoint, domain: NAME, enabled: true, route: 'intercept' }],
    upstream: { ...config.upstream, dns: [server] },
    steer: { ...config.steer, interfaces: ['lan0'], families: 'both' },
  }
}

const calm = (): Well['dns'] => ({
  code: 0,
  address: [203, 0, 113, 7],
  parameters: Buffer.alloc(0),
  canary: false,
})

/** Answers A, AAAA and HTTPS as it is told: RFC 1035 §4.1, RFC 9460 §2.2. */
async function startDns() {
  const answers = calm()
  const socket = createSocket('udp4')
  socket.on('message', (message, peer) => {
    const end = message.indexOf(0, 12) + 5
    const type = message.readUInt16BE(end - 4)
    const isCanary = message.includes('use-application-dns')
    const https = Buffer.concat([Buffer.of(0, 1, 0), answers.parameters])
    const data =
      type === 65 ? https : type === 1 ? Buffer.from(answers.address) : undefined
    const code = isCanary && !answers.canary ? 3 : answers.code
    const header = Buffer.from(message.subarray(0, 12))
    header.writeUInt16BE(0x8180 | code, 2)
    header.writeUInt16BE(code === 0 && data !== undefined ? 1 : 0, 6)
    header.writeUInt32BE(0, 8)
    const record =
      code !== 0 || data === undefined
        ? []
        : [Buffer.of(0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length), data]
    const reply = Buffer.concat([header, message.subarray(12, end), ...record])
    socket.send(reply, peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const address = `127.0.0.1:${socket.address().port}`
  return { address, answers, close: () => void socket.close() }
}

/** Says that it is well, and speaks no TLS. */
async function startHealth() {
  const server = createServer((_request, response) =>
    response.end('{"status":"healthy"}'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { listen: `127.0.0.1:${port}`, close: () => void server.close() }
}
