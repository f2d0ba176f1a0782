/**
 * Runs the lab: the same questions without steering, and with each form of it, to YORI as it is
 * run on a router. Rules are made and loaded by the command line alone.
 */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { packageFile } from '../../src/core/package-root.js'
import type { Namespaces } from '../../test/support/namespaces.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import type { TempFolder } from '../../test/support/temp-folder.js'
import { LLM, LLM_NAME, STEERED_INTERFACES, TV_MAC, hostIn } from './places.js'
import { rows } from './rows.js'
import type { Row, While } from './rows.js'
import { serve, wire } from './world.js'

export const MODES = ['no steering', 'nft-tproxy', 'nft-redirect'] as const
export type Mode = (typeof MODES)[number]

export interface Outcome {
  readonly row: Row
  /** One word for each of `MODES`. */
  readonly words: readonly string[]
}

const YORI = packageFile('dist', 'src', 'cli', 'main.js')

/** Of the router's packets, what tells others that they are too large. */
const NARROW_RULES = `
table inet narrow {
  chain lost {
    type filter hook output priority 0; policy accept;
    icmp type destination-unreachable icmp code frag-needed drop
    icmpv6 type packet-too-big drop
  }
  chain adapted {
    type filter hook forward priority -150; policy accept;
    oifname "wan0" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
    iifname "wan0" tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
  }
}
`

/** Right after conntrack has looked, as it does itself when its table is full. */
const FULL_RULES = `
table inet full {
  chain arriving {
    type filter hook prerouting priority -199; policy accept;
    ct state new drop
  }
  chain leaving {
    type filter hook output priority -199; policy accept;
    ct state new drop
  }
}
`

const WORLDS: Readonly<Record<While, { on: string; off: string }>> = {
  usual: { on: '', off: '' },
  narrow: { on: NARROW_RULES, off: 'delete table inet narrow\n' },
  full: { on: FULL_RULES, off: 'delete table inet full\n' },
}

export interface LabOptions {
  /** Which of the rows; all unless given. */
  readonly only?: (row: Row) => boolean
  /** Hears how far it is. */
  readonly told?: (line: string) => void
}

/** Every row's word in every mode. */
export async function runLab({ only, told }: LabOptions = {}): Promise<Outcome[]> {
  await using folder = await tempFolder('yori-lab-')
  await using machines = wire()
  await serve(machines, (name) => folder.file(name))
  await run(machines, folder)
  const all = only === undefined ? rows() : rows().filter(only)
  const columns: string[][] = []
  for (const mode of MODES) {
    told?.(mode)
    if (mode !== 'no steering') yori(machines, folder, 'pf', 'apply', '--backend', mode)
    columns.push(await ask(machines, folder, all))
    if (mode !== 'no steering') yori(machines, folder, 'pf', 'remove')
  }
  return all.map((row, at) => ({ row, words: columns.map((column) => column[at] ?? '') }))
}

/** `yori run` on the router; resolves when it listens. */
async function run(machines: Namespaces, folder: TempFolder): Promise<void> {
  const config = {
    state_dir: folder.file('state'),
    log: { level: 'error' },
    endpoints: [{ domain: LLM_NAME }],
    // Nobody answers there, at once: addresses are those that clients dial.
    upstream: { extra_ca: [folder.file('origin.pem')], dns: ['127.0.0.1:9'] },
    access: { clients: ['10.77.0.0/24', 'fd77:0:0:0::/64', '2001:db8:77:0::/64'] },
    steer: {
      interfaces: STEERED_INTERFACES,
      ranges: [LLM[4], LLM[6]],
      exempt: [hostIn('lan', 3, 4), hostIn('lan', 3, 6), TV_MAC],
      blocked: [hostIn('lan', 4, 4), hostIn('lan', 4, 6)],
      // No supervisor renews it here.
      table_timeout: 3600,
    },
  }
  writeFileSync(folder.file('yori.conf'), JSON.stringify(config))
  const words = [process.execPath, YORI, 'run', '--config', folder.file('yori.conf')]
  const program = machines.spawn('router', 'sh', [
    ...['-c', 'exec "$@" 2>"$0"', folder.file('log')],
    ...words,
  ])
  while (!(await program.line()).startsWith('Ctrl-C'));
  const root = yori(machines, folder, 'ca', 'export')
  writeFileSync(folder.file('roots.pem'), readFileSync(folder.file('origin.pem')))
  appendFileSync(folder.file('roots.pem'), root)
}

function yori(machines: Namespaces, folder: TempFolder, ...words: string[]): string {
  const inside = [process.execPath, YORI, ...words, '--config', folder.file('yori.conf')]
  const { status, stdout, stderr } = spawnSync(
    'ip',
    machines.words('router', ...inside),
    {
      encoding: 'utf8',
    },
  )
  assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** One program a machine asks for all of its rows at once. */
async function ask(
  machines: Namespaces,
  folder: TempFolder,
  all: readonly Row[],
): Promise<string[]> {
  const words: string[] = []
  for (const during of ['usual', 'narrow', 'full'] as const) {
    const { on, off } = WORLDS[during]
    const asked = [...all.entries()].filter(([, row]) => row.during === during)
    if (asked.length === 0) continue
    if (on !== '') machines.run('router', 'nft -f -', on)
    for (const machine of new Set(asked.map(([, row]) => row.machine))) {
      const own = asked.filter(([, row]) => row.machine === machine)
      const program = machines.spawn(machine, process.execPath, [
        packageFile('dist', 'tools', 'lab', 'ask.js'),
        folder.file('roots.pem'),
        JSON.stringify(own.map(([, row]) => row.ask)),
      ])
      const answers = JSON.parse(await program.line()) as string[]
      own.forEach(([at], index) => (words[at] = answers[index] ?? ''))
    }
    if (off !== '') machines.run('router', 'nft -f -', off)
  }
  return words
}
