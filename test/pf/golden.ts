/** Twenty configurations of steering, and the texts that are kept of them in `fixtures/pf`. */
import type { Backend } from '../../pf/render.js'
import type { SteerSettings } from '../../pf/rules.js'
import { named } from './support.js'

export interface Golden {
  readonly name: string
  readonly backend: Backend
  readonly changed: Partial<SteerSettings>
}

const entry = (value: string, from: string) => ({ value, from })
const only = (family: 'ipv4' | 'ipv6'): Partial<SteerSettings> => ({
  families: { value: family, from: 'steer.families' },
})
const closed: Partial<SteerSettings> = {
  onFailure: { value: 'closed_llm', from: 'steer.on_failure' },
}
const page: Partial<SteerSettings> = {
  page: { port: 80, from: 'access.trust_page_port' },
}
const em1: Partial<SteerSettings> = { interfaces: named('steer.interfaces', 'em1') }
const exempt: Partial<SteerSettings> = {
  exempt: named('steer.exempt', '192.168.1.50', '10.1.0.0/16', 'fd00:1::50'),
}
const blocked: Partial<SteerSettings> = {
  blocked: named('steer.blocked', '192.168.1.66', 'fd00:1::66'),
}
const macs: Partial<SteerSettings> = {
  exempt: named('steer.exempt', '02:00:5e:10:00:01'),
  blocked: named('steer.blocked', '02-00-5E-10-00-02'),
}
const alias: Partial<SteerSettings> = { exempt: named('steer.exempt', 'Kids_Devices') }
const appliance = (...families: ('address' | 'address6')[]): Partial<SteerSettings> => ({
  appliance: {
    interface: entry('em2', 'steer.appliance.interface'),
    ...(families.includes('address')
      ? { address: entry('192.168.50.2', 'steer.appliance.address') }
      : {}),
    ...(families.includes('address6')
      ? { address6: entry('fd50::2', 'steer.appliance.address6') }
      : {}),
  },
})

export const golden: readonly Golden[] = [
  { name: 'usual', backend: 'pf', changed: {} },
  { name: 'ipv4-only', backend: 'pf', changed: only('ipv4') },
  { name: 'ipv6-only', backend: 'pf', changed: only('ipv6') },
  {
    name: 'interface-address',
    backend: 'pf',
    changed: { ...em1, address6: entry('interface', 'steer.address6') },
  },
  { name: 'blocked', backend: 'pf', changed: { ...blocked, ...exempt } },
  { name: 'alias', backend: 'pf', changed: { ...em1, ...alias } },
  {
    name: 'own-listeners',
    backend: 'pf',
    changed: { listen: named('listen', '192.168.1.1:9443', '[fd00:1::1]:9444') },
  },
  { name: 'closed', backend: 'pf', changed: closed },
  {
    name: 'clients',
    backend: 'pf',
    changed: {
      direct: named('access.clients', '10.0.0.0/8', 'fd00::/8'),
      directInterfaces: named('access.clients', 'wg0'),
    },
  },
  { name: 'usual', backend: 'pf-conf', changed: { ...exempt, ...blocked } },
  { name: 'alias', backend: 'pf-conf', changed: alias },
  {
    name: 'clients',
    backend: 'pf-conf',
    changed: { direct: named('access.clients', '10.0.0.0/8', 'fd00::/8') },
  },
  { name: 'usual', backend: 'opnsense', changed: {} },
  { name: 'alias', backend: 'opnsense', changed: { ...alias, ...blocked } },
  { name: 'usual', backend: 'route-to', changed: { ...em1, ...appliance('address') } },
  {
    name: 'both',
    backend: 'route-to',
    changed: { ...appliance('address', 'address6'), ...exempt, ...blocked },
  },
  { name: 'usual', backend: 'nft-tproxy', changed: {} },
  {
    name: 'devices',
    backend: 'nft-tproxy',
    changed: {
      ...macs,
      direct: named('access.clients', '10.0.0.0/8', 'fd00::/8'),
      directInterfaces: named('access.clients', 'wg0'),
    },
  },
  { name: 'ipv4-only', backend: 'nft-tproxy', changed: { ...only('ipv4'), ...exempt } },
  { name: 'closed', backend: 'nft-tproxy', changed: { ...closed, ...exempt } },
  { name: 'usual', backend: 'nft-redirect', changed: blocked },
  {
    name: 'own-listeners',
    backend: 'nft-redirect',
    changed: { listen: named('listen', '192.168.1.1:9443', '[fd00:1::1]:9444') },
  },
  { name: 'page', backend: 'pf', changed: page },
  {
    name: 'page',
    backend: 'nft-tproxy',
    changed: { ...page, listen: named('listen', '127.0.0.1:8443', '192.168.1.1:9443') },
  },
  { name: 'page', backend: 'nft-redirect', changed: page },
  { name: 'usual', backend: 'unbound', changed: {} },
  { name: 'usual', backend: 'dnsmasq', changed: {} },
  { name: 'usual', backend: 'dnsmasq-pf', changed: {} },
]

export const goldenHosts = named(
  'endpoints',
  'api.openai.com',
  '*.openai.azure.com',
  'API.Anthropic.com.',
)

export const goldenElements = {
  inet: ['160.79.104.0/23', '203.0.113.7'],
  inet6: ['2607:6bc0::/48'],
}
