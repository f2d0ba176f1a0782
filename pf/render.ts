/** One name for each form of steering, and the text that it stands for. Pure. */
import { unreachable } from '../src/core/unreachable.js'
import { renderDnsmasq, renderUnbound } from './render-dns.js'
import type { PageAt } from './render-dns.js'
import { renderNft } from './render-nft.js'
import type { LlmElements } from './render-nft-sets.js'
import { renderOpnsense } from './render-opnsense.js'
import { renderPfAnchor, renderPfConf, renderRouteTo } from './render-pf.js'
import type { Rendered } from './render-words.js'
import type { Entry, Steering } from './rules.js'

export const BACKENDS = [
  'pf',
  'pf-conf',
  'opnsense',
  'nft-tproxy',
  'nft-redirect',
  'route-to',
  'unbound',
  'dnsmasq',
  'dnsmasq-pf',
] as const

export type Backend = (typeof BACKENDS)[number]

export interface SteeringText {
  readonly steering: Steering
  /** Endpoints by name, for resolvers. */
  readonly hosts: readonly Entry[]
  /** For a resolver that knows no interfaces. */
  readonly page?: readonly PageAt[]
  /** What nftables sets hold from the start. */
  readonly elements?: LlmElements
}

/** The same text for the same values, always. */
export function renderSteering(
  backend: Backend,
  { steering, hosts, elements, page = [] }: SteeringText,
): Rendered {
  switch (backend) {
    case 'pf':
      return renderPfAnchor(steering)
    case 'pf-conf':
      return renderPfConf(steering)
    case 'opnsense':
      return renderOpnsense(steering)
    case 'nft-tproxy':
      return renderNft(steering, 'tproxy', elements)
    case 'nft-redirect':
      return renderNft(steering, 'redirect', elements)
    case 'route-to':
      return renderRouteTo(steering)
    case 'unbound':
      return renderUnbound(hosts, page)
    case 'dnsmasq':
      return renderDnsmasq(steering, hosts, 'nft')
    case 'dnsmasq-pf':
      return renderDnsmasq(steering, hosts, 'pf')
    default:
      return unreachable(backend)
  }
}
