/**
 * Steering as an nftables table of its own. TPROXY is the usual form: with no listener the
 * kernel sends clients straight on. REDIRECT is for kernels without it. The text loads as one
 * transaction and may be loaded again; removing is one, too. The sets of LLM addresses empty
 * themselves when nobody renews them. Pure.
 *
 * TPROXY takes connections at their first packet only (RFC 9293 §3.5: SYN without ACK), so
 * that those open at the time of loading go on; later packets find their socket.
 */
import { FAMILIES, chains } from './render-nft-chains.js'
import type { NftMode } from './render-nft-chains.js'
import { setLines } from './render-nft-sets.js'
import type { LlmElements } from './render-nft-sets.js'
import { comment, page } from './render-words.js'
import type { Rendered } from './render-words.js'
import {
  STEERED_PORT,
  TPROXY_MARK_TEXT,
  TPROXY_ROUTES,
  interfaceProblems,
  isLoopback,
} from './rules.js'
import type { Device, Family, SteerProblem, Sourced, Steering } from './rules.js'

const TABLE = 'inet yori'
/** For the probe alone, while nobody is led: gone as soon as it has been asked. */
const PROBE_TABLE = 'inet yori_probe'
const NO_ELEMENTS: LlmElements = { inet: [], inet6: [] }

/** For `nft -f FILE`; TPROXY needs the routes of its comments besides. */
export function renderNft(
  steering: Steering,
  mode: NftMode,
  elements: LlmElements = NO_ELEMENTS,
): Rendered {
  const problems = nftProblems(steering, mode)
  if (problems.length > 0) return { kind: 'invalid', problems }
  return {
    kind: 'ok',
    text: page([
      comment(`one step on: nft -f FILE; one step off: nft delete table ${TABLE}`),
      ...(mode === 'tproxy' ? routingNotes(steering) : []),
      ...tableLines(TABLE, { steering, mode, elements }),
    ]),
  }
}

/** The same rules, for the probe and nobody else, in a table beside. */
export function renderNftProbe(
  steering: Steering,
  mode: NftMode,
  probe: NonNullable<Steering['probe']>,
): string {
  const alone: Steering = {
    ...steering,
    probe,
    interfaces: [{ name: probe.interface, from: 'steer.probe_every' }],
    onFailure: { value: 'open', from: steering.onFailure.from },
    ...{ listeners: [], exempt: [], blocked: [], direct: [], directInterfaces: [] },
  }
  return page(tableLines(PROBE_TABLE, { steering: alone, mode, elements: NO_ELEMENTS }))
}

function tableLines(
  table: string,
  {
    steering,
    mode,
    elements,
  }: {
    readonly steering: Steering
    readonly mode: NftMode
    readonly elements: LlmElements
  },
): string[] {
  return [
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    ...indented([...setLines(steering, elements), ...chains(steering, mode)]),
    '}',
  ]
}

/** Takes the tables away, there or not. */
export function renderNftOff(): string {
  return page(
    [TABLE, PROBE_TABLE].flatMap((table) => [`table ${table}`, `delete table ${table}`]),
  )
}

/** Argument lists for `ip`: first what may fail (nothing to delete), then what must not. */
export function tproxyRouting({ families }: Pick<Steering, 'families'>): {
  readonly off: readonly (readonly string[])[]
  readonly on: readonly (readonly string[])[]
} {
  const table = String(TPROXY_ROUTES)
  const flags = families.map((family) => (family === 'inet' ? '-4' : '-6'))
  return {
    off: flags.flatMap((flag) => [
      [flag, 'rule', 'del', 'fwmark', TPROXY_MARK_TEXT, 'lookup', table],
      [flag, 'route', 'flush', 'table', table],
    ]),
    on: flags.flatMap((flag) => [
      [flag, 'rule', 'add', 'fwmark', TPROXY_MARK_TEXT, 'lookup', table],
      [flag, 'route', 'replace', 'local', 'default', 'dev', 'lo', 'table', table],
    ]),
  }
}

function routingNotes(steering: Steering): string[] {
  const { on } = tproxyRouting(steering)
  return on.map((words) => comment(`once a start: ip ${words.join(' ')}`))
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`))
}

function nftProblems(steering: Steering, mode: NftMode): SteerProblem[] {
  const problems = interfaceProblems(steering)
  const aliases = [...steering.exempt, ...steering.blocked].filter(isAlias)
  for (const { text, from } of aliases)
    problems.push({
      key: from,
      wrong: `${text} is an alias, and nftables has none`,
      right: 'give addresses, prefixes or MAC addresses',
    })
  for (const { from, ...target } of mode === 'redirect' ? steering.targets : [])
    if (isLoopback(target))
      problems.push({
        key: from,
        wrong: `REDIRECT does not reach a listener on ${target.address}`,
        right: 'listen on 0.0.0.0 and [::], or use nft-tproxy',
      })
  for (const { port, from } of mode === 'tproxy' ? steering.listeners : [])
    if (port === STEERED_PORT)
      problems.push({
        key: from,
        wrong: `TPROXY cannot tell a listener on port ${STEERED_PORT} from connections that it took`,
        right: 'listen on another port such as 8443, or use nft-redirect',
      })
  return problems
}

function isAlias(device: Sourced<Device>): boolean {
  return device.kind === 'alias'
}

/**
 * Puts these in the place of what the set holds, for so many seconds, in one transaction. Empty
 * text: nothing.
 */
export function elementsText(
  family: Family,
  addresses: readonly string[],
  seconds: number,
): string {
  if (addresses.length === 0) return ''
  const [llm] = FAMILIES[family].sets
  const timed = addresses.map((address) => `${address} timeout ${seconds}s`).join(', ')
  return page([`flush set ${TABLE} ${llm}`, `add element ${TABLE} ${llm} { ${timed} }`])
}
