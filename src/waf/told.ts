/** What the daemon and the process of the firewall tell each other. */
import type { LaterScore, WafCounts } from './agent.js'
import type { WafSettings } from './settings.js'

export type ToWaf =
  | { readonly kind: 'start'; readonly settings: WafSettings }
  | { readonly kind: 'ping' }
  /** Another has its place: it answers what it was asked, and ends. */
  | { readonly kind: 'end' }

export type FromWaf =
  | {
      readonly kind: 'ready'
      readonly engine: string
      readonly version: string
      readonly rules: number
      readonly folder: string
    }
  /** It is there and answers that it cannot look. */
  | {
      readonly kind: 'unable'
      readonly what: 'engine' | 'rules' | 'socket'
      readonly why: string
    }
  | { readonly kind: 'pong'; readonly counts: WafCounts; readonly rssBytes: number }
  | ({ readonly kind: 'later' } & LaterScore)
