/** Checks of steering: what the packet filter really holds, and what would go around YORI. */
import type { NetworkInterfaceInfo } from 'node:os'
import {
  readBypassed,
  readOptional,
  readStatus,
  supervisorProcess,
} from '../../pf/apply.js'
import { OFF_CAUSES, parseOffPeriods } from '../../pf/off-periods.js'
import { readNotLetIn } from '../../pf/let-in-machine.js'
import { readSteering } from '../../pf/rules-read.js'
import { TPROXY_MARK_TEXT } from '../../pf/rules.js'
import { steerSettings } from '../../pf/settings.js'
import { wayTold } from '../../pf/steering-words.js'
import { steeringFiles } from '../../pf/steering-files.js'
import type { LoadedBackend } from '../../pf/steering-plan.js'
import { LOADED_BACKENDS } from '../../pf/steering-plan.js'
import { printable } from '../audit/printable.js'
import { bad, good, notice } from './doctor-check.js'
import type { Check, Finding, Patient } from './doctor-check.js'

const WEEK_MS = 7 * 86_400_000
/** The table is written each half minute; older than this nobody writes it. */
const OLD_TABLE_MS = 10 * 60_000

export const interfacesCheck: Check = {
  name: 'interfaces',
  look({ config, machine }) {
    const { interfaces, guests, families } = config.steer
    const there = machine.interfaces()
    const found = [...interfaces, ...guests].map((name): Finding => {
      const addresses = there[name]
      if (
        addresses === undefined &&
        machine.read(`/sys/class/net/${name}/ifindex`) === undefined
      )
        return bad(
          `${name} is not on this machine`,
          `steer.interfaces: one of ${known(there)}`,
        )
      const state = machine.read(`/sys/class/net/${name}/operstate`)?.trim()
      if (state === 'down') return bad(`${name} is down`, `ip link set ${name} up`)
      if (families === 'ipv4' && addresses?.some(isGlobal6) === true)
        return notice(
          `${name} has IPv6 and steer.families is ipv4: LLM traffic may pass by over IPv6`,
          'steer.families: both',
        )
      return good(`${name} is there`)
    })
    if (found.length > 0) return found
    return [good('none is steered: YORI serves those who ask it as a proxy')]
  },
}

function known(there: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  return Object.keys(there)
    .filter((name) => name !== 'lo')
    .join(', ')
}

const isGlobal6 = ({ family, address }: NetworkInterfaceInfo): boolean =>
  family === 'IPv6' && /^[23]/.test(address)

export const steeringCheck: Check = {
  name: 'steering',
  look(patient) {
    const { config, clock } = patient
    if (config.steer.interfaces.length === 0) return []
    const files = steeringFiles(config.state_dir)
    const wish = readOptional(files.desired)?.trim()
    if (wish !== 'on') return [notice('nobody asked for it yet', 'yori pf apply')]
    const findings: Finding[] = []
    if (supervisorProcess(files) === undefined)
      findings.push(
        bad(
          'no supervisor runs: nothing takes steering off when YORI hangs',
          'yori service install',
        ),
      )
    const status = readStatus(files)
    if (status === undefined || status.holds === '')
      findings.push(
        bad('the supervisor has not said how it stands', `df ${files.directory}`),
      )
    else if (['both', 'inet', 'inet6'].includes(status.holds))
      findings.push(good(`on by ${printable(status.backend)}: ${status.holds}`))
    else
      findings.push(
        bad(
          `asked for, and ${printable(status.holds)}: ${printable(status.why)}`,
          'yori pf status',
        ),
      )
    for (const { level, what, mend } of status === undefined ? [] : wayTold(status))
      findings.push({ level, what, ...(mend === undefined ? {} : { mend }) })
    const since = clock.now() - WEEK_MS
    const periods = parseOffPeriods(readOptional(files.offPeriods) ?? '')
    // Its beginning and its end are a line each.
    const recent = new Map(
      periods
        .filter(({ fromMs }) => fromMs >= since)
        .map(({ fromMs, cause }) => [`${fromMs} ${cause}`, cause]),
    )
    if (recent.size > 0)
      findings.push(
        notice(`off ${recent.size} times in the last 7 days`, 'yori pf status'),
      )
    for (const cause of new Set(recent.values())) {
      const { what, mend } = OFF_CAUSES[cause] ?? {}
      if (what !== undefined && mend !== undefined)
        findings.push(notice(`off since ${what}`, mend))
    }
    return findings
  },
}

export const rulesCheck: Check = {
  name: 'rules',
  look(patient) {
    const backend = backendOf(patient)
    if (backend === undefined) return []
    const { config, machine } = patient
    if (backend === 'pf') return pfRules(patient)
    const table = machine.run('nft', 'list', 'table', 'inet', 'yori')
    if (table === undefined)
      return [
        bad('the table `inet yori` is not loaded, or may not be seen', 'yori pf apply'),
      ]
    const findings = [good('the table `inet yori` is loaded')]
    const elements = [...table.matchAll(/set llm[46] \{[^}]*elements = \{([^}]*)\}/g)]
    const count = elements.reduce((sum, [, list = '']) => sum + list.split(',').length, 0)
    findings.push(
      count > 0
        ? good(`${count} LLM addresses are in it`)
        : bad(
            'no LLM address is in it: nothing is steered',
            `ls -l ${steeringFiles(config.state_dir).table}`,
          ),
    )
    if (backend === 'nft-tproxy') findings.push(...routes(patient))
    return findings
  },
}

function pfRules({ config, machine }: Patient): Finding[] {
  const rules = machine.run('pfctl', '-a', 'yori', '-s', 'nat')
  if (rules === undefined || rules.trim() === '')
    return [bad('the anchor `yori` is empty, or may not be seen', 'yori pf apply')]
  const name = config.steer.tables.llm
  const table = machine.run('pfctl', '-a', 'yori', '-t', name, '-T', 'show')
  const count = (table ?? machine.run('pfctl', '-t', name, '-T', 'show') ?? '')
    .split('\n')
    .filter((line) => line.trim() !== '').length
  return [
    good('the anchor `yori` is loaded'),
    count > 0
      ? good(`${count} LLM addresses are in the table ${name}`)
      : bad(`the table ${name} is empty: nothing is steered`, 'yori pf apply'),
  ]
}

/** Marked packets must be led to this machine: ip-rule(8). */
function routes({ config, machine }: Patient): Finding[] {
  const families =
    config.steer.families === 'both'
      ? ['-4', '-6']
      : [config.steer.families === 'ipv4' ? '-4' : '-6']
  return families.flatMap((family) => {
    const rules = machine.run('ip', family, 'rule', 'list')
    if (rules?.includes(`fwmark ${TPROXY_MARK_TEXT}`) !== false) return []
    return [
      bad(`no rule of \`ip ${family} rule\` leads marked packets here`, 'yori pf apply'),
    ]
  })
}

export const tableCheck: Check = {
  name: 'table',
  look({ config, clock, machine }) {
    if (config.steer.interfaces.length === 0) return []
    const { table } = steeringFiles(config.state_dir)
    const text = machine.read(table)
    if (text === undefined)
      return [
        notice(
          `${table} is not written yet: a running YORI does`,
          'systemctl start yori',
        ),
      ]
    const written =
      machine.run('stat', '-c', '%Y', table) ?? machine.run('stat', '-f', '%m', table)
    const age = clock.now() - Number(written ?? 0) * 1000
    const lines = text.split('\n').filter((line) => /^[0-9a-f]/i.test(line)).length
    const said = `${lines} addresses and prefixes in ${table}`
    if (lines === 0)
      return [bad(`${said}: no endpoint could be looked up`, 'see resolver')]
    return [
      age > OLD_TABLE_MS
        ? notice(`${said}, ${Math.round(age / 60_000)} minutes old`)
        : good(said),
    ]
  },
}

export const forwardingCheck: Check = {
  name: 'forwarding',
  look({ config, machine }) {
    if (config.steer.interfaces.length === 0) return []
    const keys =
      machine.platform === 'freebsd'
        ? (['net.inet.ip.forwarding', 'net.inet6.ip6.forwarding'] as const)
        : (['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'] as const)
    return keys.map((key) => {
      const value = (
        machine.read(`/proc/sys/${key.replaceAll('.', '/')}`) ??
        machine.run('sysctl', '-n', key)
      )?.trim()
      if (value === undefined) return notice(`${key} cannot be read`)
      if (value === '0')
        return notice(
          `${key} is 0: this machine is no router for that family`,
          `sysctl ${key}=1`,
        )
      return good(`${key} is ${value}`)
    })
  },
}

/** Rules of the operator's own that steered packets do not meet. */
export const bypassCheck: Check = {
  name: 'own rules',
  look(patient) {
    const { config, machine } = patient
    if (config.steer.interfaces.length === 0) return []
    const read = readSteering(steerSettings(config))
    if (read.kind === 'invalid')
      return read.problems.map((problem) => bad(problem.wrong, 'yori pf generate'))
    const backend =
      backendOf(patient) ?? (machine.platform === 'freebsd' ? 'pf' : 'nft-tproxy')
    const { found, notAsked } = readBypassed(backend, read.steering)
    const findings = found.map(({ kind, rule, where, refuses }) => {
      const what = `${kind} rule in ${printable(where)} is not asked for steered packets: ${printable(rule)}`
      return refuses
        ? bad(what, 'steer.exempt for its device, or leave its interface out')
        : notice(what, 'steer.blocked for devices that must not reach LLM hosts')
    })
    const unseen = notAsked.map((command) =>
      notice(`not seen: ${command}`, `sudo yori doctor`),
    )
    if (findings.length + unseen.length > 0) return [...findings, ...unseen]
    return [good('none is bypassed')]
  },
}

/** Would this machine drop what is led here? */
export const letInCheck: Check = {
  name: 'let in',
  look(patient) {
    const { config, machine } = patient
    if (config.steer.interfaces.length === 0 || machine.platform !== 'linux') return []
    const read = readSteering(steerSettings(config))
    if (read.kind === 'invalid') return []
    const found = readNotLetIn(backendOf(patient) ?? 'nft-tproxy', read.steering)
    if (found.length === 0) return [good('steered connections are let in')]
    return found.map(({ verdict, interfaces, where, hook, line }) => {
      const what = hook === 'input' ? 'steered connections' : 'their answers'
      const on = interfaces.join(', ')
      return verdict === 'dropped'
        ? bad(`${printable(where)} drops ${what} on ${on}`, line)
        : notice(`${printable(where)} may drop ${what} on ${on}`, line)
    })
  },
}

/** Of what was applied; undefined while nothing is wished for. */
function backendOf({ config }: Patient): LoadedBackend | undefined {
  const files = steeringFiles(config.state_dir)
  if (readOptional(files.desired)?.trim() !== 'on') return undefined
  const line = /^backend=(.*)$/m.exec(readOptional(files.plan) ?? '')?.[1]
  return LOADED_BACKENDS.find((name) => name === line)
}
