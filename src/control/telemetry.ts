/**
 * Everybody who looks at what passes for the sake of people: counters, live readers, and the
 * export to a collector, which is loaded when one is configured.
 */
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import { Counter } from '../metrics/instruments.js'
import type { Family } from '../metrics/instruments.js'
import { LoopDelays } from '../metrics/loop-delay.js'
import type { OtlpExporter } from '../metrics/otlp-exporter.js'
import { alertFamilies } from '../metrics/alerts.js'
import type { AlertCounts } from '../metrics/alerts.js'
import { wafFamilies } from '../metrics/waf.js'
import type { WafStood } from '../metrics/waf.js'
import { stateFamilies } from '../metrics/state.js'
import type { StateSources } from '../metrics/state.js'
import { TrafficMetrics } from '../metrics/traffic.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import { LiveEvents } from './live.js'
import { Recordings } from './recordings.js'

export interface TelemetryOptions {
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly startedAt: number
}

export class Telemetry {
  readonly live = new LiveEvents()
  readonly recordings = new Recordings()
  readonly #options: TelemetryOptions
  readonly #traffic: TrafficMetrics
  readonly #delays = new LoopDelays()
  readonly #spans = new Counter({
    name: 'yori_otlp_spans_total',
    help: 'Spans for a collector by what became of them.',
    labels: ['result'],
  })
  #appliance: StateSources['appliance'] | undefined
  #alerts: (() => AlertCounts) | undefined
  #fleet: (() => readonly Family[]) | undefined
  #waf: (() => WafStood) | undefined
  #exporter: OtlpExporter | undefined

  constructor(options: TelemetryOptions) {
    this.#options = options
    this.#traffic = new TrafficMetrics({ now: () => options.clock.monotonic() })
  }

  /** For the list of the appliance. */
  get observers(): readonly ExchangeObserver[] {
    const exporter: ExchangeObserver = {
      name: 'otlp',
      ended: (seen) => this.#exporter?.ended(seen),
    }
    return [this.#traffic, this.live, exporter, this.recordings]
  }

  get exporter(): OtlpExporter | undefined {
    return this.#exporter
  }

  /** From now on it can also be told how the appliance stands. */
  attach(appliance: StateSources['appliance']): void {
    this.#appliance = appliance
  }

  /** From now on it can be told what became of alerts, too. */
  attachAlerts(counts: () => AlertCounts): void {
    this.#alerts = counts
  }

  /** Likewise of how it stands with other gateways. */
  attachFleet(families: () => readonly Family[]): void {
    this.#fleet = families
  }

  /** From now on it can be told how the firewall stands, too. */
  attachWaf(state: () => WafStood): void {
    this.#waf = state
  }

  /** How the firewall stands; undefined: this YORI has none to tell of. */
  get waf(): WafStood | undefined {
    return this.#waf?.()
  }

  /** Whatever can be measured; of the appliance once it is known. */
  families(): Family[] {
    const appliance = this.#appliance
    const { clock, version, startedAt } = this.#options
    const traffic = this.#traffic
    const delay = this.#delays.look()
    const sources = { traffic, delay, clock, version, startedAt }
    return [
      ...this.#traffic.families(),
      this.#spans.family(),
      ...(this.#alerts === undefined ? [] : alertFamilies(this.#alerts())),
      ...(this.#fleet?.() ?? []),
      ...(this.#waf === undefined ? [] : wafFamilies(this.#waf())),
      ...(appliance === undefined ? [] : stateFamilies({ ...sources, appliance })),
    ]
  }

  /** Exports there from now on, or nowhere. */
  async use(otel: Config['otel']): Promise<void> {
    if (otel.endpoint !== undefined) this.#exporter ??= await this.#newExporter()
    this.#exporter?.use(otel)
  }

  async stop(): Promise<void> {
    this.#delays.stop()
    await this.#exporter?.stop()
  }

  async #newExporter(): Promise<OtlpExporter> {
    const { OtlpExporter } = await import('../metrics/otlp-exporter.js')
    const { clock, log, version, startedAt } = this.#options
    return new OtlpExporter({
      ...{ clock, log, startedAt },
      resource: { version, instance: `${process.pid}.${startedAt}` },
      spans: this.#spans,
      families: () => this.families(),
    })
  }
}
