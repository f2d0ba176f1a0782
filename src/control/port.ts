/** What the control plane needs of the running YORI. */
import type { Alerts } from '../alerts/alerts.js'
import type { Appliance } from '../assembly/appliance.js'
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import type { Telemetry } from './telemetry.js'
import type { SettingsPort } from './settings.js'

export interface ControlPort {
  readonly appliance: Pick<
    Appliance,
    | 'addresses'
    | 'audit'
    | 'connections'
    | 'conversations'
    | 'current'
    | 'holds'
    | 'policyState'
    | 'reloads'
    | 'steering'
    | 'trust'
  >
  readonly telemetry: Telemetry
  /** Inbox and sinks. */
  readonly alerts?: Pick<Alerts, 'answerUrl' | 'ask' | 'counts' | 'sinks'>
  /** Of the file, where there is one. */
  readonly settings?: Omit<SettingsPort, 'source' | 'stateDir' | 'now'>
  /** How it stands with other gateways, where there are some; JSON. */
  readonly fleet?: { readonly shape: object }
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly startedAt: number
  /** The file that the configuration came from; undefined: built-in defaults. */
  readonly source: string | undefined
}

/** Where the control plane is to be had, and why it is not. */
export interface ControlPlaces {
  /** The path of the Unix socket. */
  readonly socket?: string
  /** `address:port`. */
  readonly listen?: string
  /** What a browser of this machine opens, without a path. */
  readonly url?: string
  /** What the configuration asks for could not be had, in words. */
  readonly problem?: string
}

export type ConfigOfControl = Pick<
  Config,
  'access' | 'audit' | 'control' | 'otel' | 'state_dir'
>
