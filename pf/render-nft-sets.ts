/**
 * The sets of the nftables table: LLM addresses, ours and those that a resolver adds as it
 * gives them; who is blocked, left alone, or may call the listener; and the one that forgets
 * unless the supervisor renews it. Pure.
 */
import { comment } from './render-words.js'
import { addressesOf, macsOf, sources } from './rules.js'
import type { Steering } from './rules.js'

/** What the sets hold from the start; none inside another. */
export interface LlmElements {
  readonly inet: readonly string[]
  readonly inet6: readonly string[]
}

/** Those that a rule may name; none of them is missing, however little it holds. */
export function setLines(steering: Steering, elements: LlmElements): string[] {
  const { interfaces, exempt, blocked, direct, tableTimeout, keptSeconds } = steering
  const names = interfaces.map(quoted)
  const ranges = ['flags interval']
  // An operator may add some for a time.
  const addresses = ['flags interval, timeout']
  const given = ['flags timeout', `timeout ${keptSeconds}s`]
  return [
    comment(sources(interfaces)),
    ...set('lan_if', 'ifname', [], names),
    comment('LLM addresses'),
    ...set('llm4', 'ipv4_addr', addresses, elements.inet),
    ...set('llm6', 'ipv6_addr', addresses, elements.inet6),
    comment('those that a resolver adds, for a time: yori pf generate --backend dnsmasq'),
    ...set('names4', 'ipv4_addr', given, []),
    ...set('names6', 'ipv6_addr', given, []),
    ...aliveLines(steering, tableTimeout),
    comment(sources(blocked) || 'steer.blocked: none'),
    ...set('yori_blocked', 'ipv4_addr', ranges, addressesOf(blocked, 'inet')),
    ...set('yori_blocked6', 'ipv6_addr', ranges, addressesOf(blocked, 'inet6')),
    ...set('yori_blocked_mac', 'ether_addr', [], macsOf(blocked)),
    comment(sources(exempt) || 'steer.exempt: none'),
    ...set('exempt4', 'ipv4_addr', ranges, addressesOf(exempt, 'inet')),
    ...set('exempt6', 'ipv6_addr', ranges, addressesOf(exempt, 'inet6')),
    ...set('exempt_mac', 'ether_addr', [], macsOf(exempt)),
    comment(sources([...direct, ...steering.directInterfaces]) || 'access.clients: none'),
    ...set('direct4', 'ipv4_addr', ranges, addressesOf(direct, 'inet')),
    ...set('direct6', 'ipv6_addr', ranges, addressesOf(direct, 'inet6')),
    ...set('direct_if', 'ifname', [], steering.directInterfaces.map(quoted)),
  ]
}

/** What is to stay closed must not open by itself. */
function aliveLines({ onFailure }: Steering, seconds: number): string[] {
  if (onFailure.value === 'closed_llm') return []
  return [
    comment('empty unless renewed, and traffic then goes direct'),
    ...set(
      'alive',
      'inet_proto',
      ['flags timeout', `timeout ${seconds}s`],
      ['tcp', 'udp'],
    ),
  ]
}

function quoted({ name }: { readonly name: string }): string {
  return `"${name}"`
}

function set(
  name: string,
  type: string,
  options: readonly string[],
  elements: readonly string[],
): string[] {
  // One entry may lie inside another; those of LLM addresses are apart already.
  const merges = options.length === 1 && options[0] === 'flags interval'
  return [
    `set ${name} {`,
    `  type ${type}`,
    ...options.map((option) => `  ${option}`),
    ...(merges ? ['  auto-merge'] : []),
    ...(elements.length === 0 ? [] : [`  elements = { ${elements.join(', ')} }`]),
    '}',
  ]
}
