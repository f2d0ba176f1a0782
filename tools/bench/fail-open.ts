// Usage: npm run fail-open -- [--only NAME,...] [--load SECONDS] [--events [--write]]
// Lets YORI fail on a router made of network namespaces (root, Linux) and prints how many
// seconds pass until a client reaches the real server again, and YORI afterwards, with the
// supervisor's own times. Then loads YORI fully for a while, with probes ten times as often,
// and counts how often they switched steering off. Exit 1 when a bar is missed. With --events
// only: what other programs of a router do to steering, and how long that lasts for a client; with
// --write docs/ROUTER.md has it.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readOptional } from '../../pf/apply.js'
import { parseOffPeriods } from '../../pf/off-periods.js'
import { packageFile } from '../../src/core/package-root.js'
import { faults, interfered, interferences, outage } from '../../test/support/faults.js'
import type { Fault } from '../../test/support/faults.js'
import { FAMILIES, Household, LLM, PROVIDER } from '../../test/support/household.js'
import type { SteerBackend } from '../../test/support/household.js'
import { NAMESPACES, whyNot } from '../../test/support/needs.js'
import { machine } from './table.js'

const BACKENDS: readonly SteerBackend[] = ['nft-tproxy', 'nft-redirect']
/** Seconds. */
const BARS = { 'nft-tproxy': 1, 'nft-redirect': 2, hang: 6 } as const
const HANGS: ReadonlySet<Fault> = new Set([faults.stopped, faults.blocked])
const PROBES_A_SECOND = 10

function seconds(ms: number | undefined): string {
  return ms === undefined ? 'never' : (ms / 1000).toFixed(2)
}

async function measureFaults(chosen: readonly Fault[]): Promise<void> {
  console.log(
    '| steering | fault | family | direct again (s) | YORI again (s) | bar (s) |',
  )
  console.log('| --- | --- | --- | --: | --: | --: |')
  for (const backend of BACKENDS) {
    for (const fault of chosen) {
      await using home = await Household.open()
      await home.supervise()
      home.apply(backend)
      for (const family of FAMILIES) {
        const bar = HANGS.has(fault) ? BARS.hang : BARS[backend]
        const { directMs, backMs } = await outage(home, family, fault)
        const missed = directMs === undefined || directMs > bar * 1000
        if (missed) process.exitCode = 1
        const figures = [
          seconds(directMs),
          seconds(backMs),
          `${bar}${missed ? ' MISS' : ''}`,
        ]
        console.log(`| ${[backend, fault.name, family, ...figures].join(' | ')} |`)
        await home.until('steering is on again', () => home.holds === 'both')
      }
    }
    await measureWithoutDns(backend)
  }
}

/** Until a client is helped, until YORI answers again, and what the client met meanwhile. */
async function measureInterference(): Promise<string> {
  const rows = [
    '| another program | steering | family | direct after (s) | YORI again after (s) | meanwhile | record |',
    '| --- | --- | --- | --: | --: | --- | --- |',
  ]
  for (const backend of BACKENDS) {
    await using home = await Household.open()
    // The supervisor's own times.
    await home.supervise({})
    // Five good answers may take longer than apply waits.
    home.yori('pf', 'apply', '--backend', backend)
    await home.until('steering is on', () => home.holds === 'both')
    for (const family of FAMILIES)
      for (const event of interferences(family)) {
        if (event.only !== undefined && event.only !== backend) continue
        await home.until('the probe came to YORI', () =>
          ['inet', 'inet6'].every((one) => home.says(`probe_${one}`) === 'good'),
        )
        const { directMs, backMs, errors } = await interfered(home, family, event)
        const figures = [
          directMs === undefined ? '-' : seconds(directMs),
          event.cause === undefined ? '-' : seconds(backMs),
          [...errors].join(', ') || '-',
          event.cause ?? 'none: steered on',
        ]
        const ip = family === 'inet' ? 'IPv4' : 'IPv6'
        rows.push(`| ${[event.name, backend, ip, ...figures].join(' | ')} |`)
        console.error(rows.at(-1))
      }
  }
  return rows.join('\n')
}

const MADE =
  '<!-- made by `npm run fail-open -- --events --write` -->\n\n<!-- prettier-ignore-start -->\n'
const MADE_END = '\n<!-- prettier-ignore-end -->'

function writeEvents(table: string): void {
  const page = packageFile('docs', 'ROUTER.md')
  const text = readFileSync(page, 'utf8')
  const from = text.indexOf(MADE)
  const to = text.indexOf(MADE_END, from)
  if (from < 0 || to < 0) throw new Error('docs/ROUTER.md has no place for it')
  writeFileSync(page, `${text.slice(0, from)}${MADE}\n${table}\n${text.slice(to)}`)
}

/** Redirected connections go where they were going: nothing is looked up. */
async function measureWithoutDns(backend: SteerBackend): Promise<void> {
  await using home = await Household.open({ steer: { dns: ['192.0.2.53'] } })
  home.configure({
    upstream: { extra_ca: [home.folder.file('origin.pem')], dns: ['192.0.2.53'] },
  })
  await home.supervise()
  home.apply(backend)
  for (const family of FAMILIES) {
    const began = performance.now()
    const [answer] = await home.ask([{ host: PROVIDER[family], name: LLM }])
    const how = answer?.issuer?.startsWith('YORI') === true ? 'opened' : 'not opened'
    const took = seconds(performance.now() - began)
    console.log(`| ${backend} | no DNS (${how}) | ${family} | ${took} | - | - |`)
  }
}

async function measureLoad(forSeconds: number): Promise<void> {
  await using home = await Household.open()
  await home.supervise({ YORI_PROBE_EVERY: String(1 / PROBES_A_SECOND) })
  home.apply('nft-tproxy')
  const before = parseOffPeriods(readOptional(home.files.offPeriods) ?? '').length
  const words = ['h2load', '--h1', '-c', '64', '-D', String(forSeconds)]
  const target = [`--connect-to=${PROVIDER.inet}:443`, `https://${LLM}/v1/models`]
  const inside = home.machines.words('client', ...words, ...target)
  const { stdout, status } = spawnSync('ip', inside, { encoding: 'utf8' })
  const after = parseOffPeriods(readOptional(home.files.offPeriods) ?? '').length
  const rate = /finished in .*/.exec(stdout)?.[0] ?? `h2load failed: ${status}`
  const off = after - before
  if (off > 0 || home.holds !== 'both') process.exitCode = 1
  console.log(
    `\nfull load, ${forSeconds} s, up to ${PROBES_A_SECOND} probes a second and family: ` +
      `${rate}; steering switched off ${off} times`,
  )
}

async function main(): Promise<void> {
  const why = whyNot(...NAMESPACES)
  if (why !== undefined) throw new Error(`network namespaces are not to be had: ${why}`)
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      load: { type: 'string', default: '60' },
      events: { type: 'boolean' },
      write: { type: 'boolean' },
    },
  })
  const names = values.only?.split(',')
  if (values.events === true) {
    const table = await measureInterference()
    if (values.write === true) writeEvents(table)
    else console.log(table)
    return
  }
  const chosen = Object.entries(faults)
    .filter(([name]) => names === undefined || names.includes(name))
    .map(([, fault]) => fault)
  console.log(`${machine()}\n`)
  if (chosen.length > 0) await measureFaults(chosen)
  if (Number(values.load) > 0) await measureLoad(Number(values.load))
}

// At the end of the process the namespaces are removed, whatever ends it.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => process.exit(1))

main().catch((cause: unknown) => {
  console.error(cause instanceof Error ? cause.message : cause)
  process.exitCode = 1
})
