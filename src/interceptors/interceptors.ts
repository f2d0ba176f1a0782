/**
 * The interceptors of the configuration, as one observer of exchanges that asks each in its
 * order. With none named it has none of the moments of which it could be told.
 */
import { join } from 'node:path'
import { shippedDetector } from '../../config/read-detect.js'
import type { Config } from '../../config/schema.js'
import type { CallEvent } from '../core/call-event.js'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import { Secret } from '../core/secret.js'
import { Counter } from '../metrics/instruments.js'
import { OtlpExporter } from '../metrics/otlp-exporter.js'
import { Observers } from '../proxy/words/observer.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import { Sanitiser } from '../replay/sanitiser.js'
import { EventRecorder } from './event-recorder.js'
import { HttpRecorder } from './http-recorder.js'
import { LinesFile } from './lines-file.js'
import { messageLogger } from './message-logger.js'
import { printer } from './printer.js'

type Item = Config['interceptors'][number]

export interface InterceptorsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly print: (text: string) => void
}

/** Who tells of calls. */
export interface TellsOfCalls {
  follow(listener: (event: CallEvent) => void): Disposable | undefined
}

interface Built {
  readonly observers: readonly ExchangeObserver[]
  readonly onCall: readonly ((event: CallEvent) => void)[]
  readonly stops: readonly (() => Promise<void>)[]
}

export class Interceptors {
  readonly #options: InterceptorsOptions
  #built: Built = { observers: [], onCall: [], stops: [] }
  #told: Observers | undefined
  #items = ''
  #calls: TellsOfCalls | undefined
  #following: Disposable | undefined

  constructor(options: InterceptorsOptions) {
    this.#options = options
  }

  /** For the list of the appliance: it asks those that are in force. */
  get observer(): ExchangeObserver {
    return {
      name: 'interceptors',
      tap: (seen, head) => this.#told?.tap(seen, head),
      requestHead: (seen) => this.#told?.requestHead(seen),
      requestRead: (seen, said) => this.#told?.requestRead(seen, said),
      responseHead: (seen) => this.#told?.responseHead(seen),
      responseRead: (seen, said) => this.#told?.responseRead(seen, said),
      ended: (seen) => this.#told?.ended(seen),
    }
  }

  /** From now on those; others are stopped. */
  use({
    interceptors,
    state_dir: stateDir,
  }: Pick<Config, 'interceptors' | 'state_dir'>): void {
    const items = JSON.stringify([interceptors, stateDir])
    if (items === this.#items) return
    this.#items = items
    void stopAll(this.#built)
    const built = buildAll(interceptors, stateDir, this.#options)
    this.#built = built
    const { log } = this.#options
    this.#told =
      built.observers.length === 0
        ? undefined
        : new Observers(built.observers, ({ observer, moment, err }) =>
            log.error({ err, observer, moment }, 'an interceptor failed'),
          )
    this.#follow()
  }

  /** Who tells of calls, once there is one. */
  attach(calls: TellsOfCalls): void {
    this.#calls = calls
    this.#follow()
  }

  /** What waits is written. */
  async stop(): Promise<void> {
    this.#following?.[Symbol.dispose]()
    await stopAll(this.#built)
  }

  #follow(): void {
    this.#following?.[Symbol.dispose]()
    const { onCall } = this.#built
    this.#following =
      onCall.length === 0
        ? undefined
        : this.#calls?.follow((event) => {
            for (const tell of onCall) tell(event)
          })
  }
}

async function stopAll({ stops }: Built): Promise<void> {
  await Promise.all(stops.map((stop) => stop()))
}

function buildAll(
  items: readonly Item[],
  stateDir: string,
  options: InterceptorsOptions,
): Built {
  const observers: ExchangeObserver[] = []
  const onCall: ((event: CallEvent) => void)[] = []
  const stops: (() => Promise<void>)[] = []
  for (const { type, enabled, config } of items) {
    if (!enabled) continue
    const folder = config.output_dir ?? join(stateDir, type)
    const failed = (cause: unknown): void =>
      options.log.warn({ reason: String(cause), type }, 'an interceptor could not write')
    switch (type) {
      case 'printer':
        observers.push(
          printer({
            print: options.print,
            requests: config.log_requests,
            responses: config.log_responses,
            bodies: config.log_body ? new Sanitiser(shippedDetector(), 'all') : undefined,
          }),
        )
        break
      case 'message_logger': {
        const file = new LinesFile(join(folder, 'messages.jsonl'), failed)
        const sanitiser = new Sanitiser(shippedDetector(), 'credentials')
        const withSystem = config.include_system_prompts
        observers.push(messageLogger({ file, sanitiser, withSystem }))
        stops.push(() => file.settled())
        break
      }
      case 'event_recorder': {
        const recorder = new EventRecorder(folder, failed)
        onCall.push((event) => recorder.event(event))
        stops.push(() => recorder.settled())
        break
      }
      case 'http_recorder': {
        const recorder = new HttpRecorder({
          ...{ folder, log: options.log, maxBodyBytes: config.max_body_size },
          perFile: config.max_events_per_file,
        })
        observers.push(recorder)
        stops.push(() => recorder.stop())
        break
      }
      case 'trace':
      case 'cylestio_trace': {
        const exporter = exporterOf(config, options)
        if (exporter === undefined) break
        observers.push(exporter)
        stops.push(() => exporter.stop())
        break
      }
      // The control plane and the detectors have it: `config/live-trace.ts`.
      case 'live_trace':
    }
  }
  return { observers, onCall, stops }
}

function exporterOf(
  { endpoint: named, api_url, access_key: key }: Item['config'],
  { clock, log, version }: InterceptorsOptions,
): OtlpExporter | undefined {
  const endpoint = named ?? api_url
  if (endpoint === undefined) {
    log.warn({}, 'the interceptor trace has no endpoint: nothing is sent')
    return undefined
  }
  const startedAt = clock.now()
  const exporter = new OtlpExporter({
    ...{ clock, log, startedAt, families: () => [] },
    resource: { version, instance: `${process.pid}.${startedAt}` },
    spans: new Counter({ name: 'interceptor_spans', help: '', labels: ['result'] }),
  })
  const headers =
    key === undefined ? {} : { authorization: new Secret(`Bearer ${key.reveal()}`) }
  exporter.use({
    ...{ endpoint, headers, traces: true, metrics: false, interval: 60, content: false },
  })
  return exporter
}
