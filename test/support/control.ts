/** The control plane of a YORI in this process, and a client that says exactly what it is told. */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { loadConfig } from '../../config/load.js'
import type { LoadedConfig } from '../../config/load.js'
import { Alerts } from '../../src/alerts/alerts.js'
import { Control } from '../../src/control/control.js'
import { Telemetry } from '../../src/control/telemetry.js'
import { tokenPath } from '../../src/control/token.js'
import { systemClock } from '../../src/core/clock.js'
import type { Clock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import type { Log } from '../../src/core/log.js'
import { Yori } from './yori.js'
import type { YoriOptions } from './yori.js'

export interface Said {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Its JSON; undefined where it is none. */
  readonly body: unknown
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Through the Unix socket instead. */
  readonly socket?: boolean
  /** The token is sent unless this says otherwise. */
  readonly token?: string | null
}

export class Controlled implements AsyncDisposable {
  readonly yori: Yori
  readonly control: Control
  readonly telemetry: Telemetry
  readonly alerts: Alerts

  private constructor(
    yori: Yori,
    { control, telemetry, alerts }: Pick<Controlled, 'control' | 'telemetry' | 'alerts'>,
  ) {
    this.yori = yori
    this.alerts = alerts
    this.telemetry = telemetry
    this.control = control
  }

  static async start(
    options: YoriOptions = {},
    more: { readonly clock?: Clock; readonly log?: Log } = {},
  ): Promise<Controlled> {
    const config = { control: { listen: '127.0.0.1:0' }, ...options.config }
    const about = {
      clock: more.clock ?? systemClock,
      log: more.log ?? silentLog,
      version: '0.0.0',
      startedAt: systemClock.now(),
    }
    const telemetry = new Telemetry(about)
    const late: { alerts?: Alerts } = {}
    const yori = await Yori.start({
      ...options,
      config,
      observers: [
        ...telemetry.observers,
        {
          name: 'alerts',
          ended: (seen) => late.alerts?.ended(seen),
          connectionEnded: (seen) => late.alerts?.connectionEnded(seen),
          event: (record) => late.alerts?.event(record),
        },
      ],
    })
    const alerts = new Alerts({ ...about, config: yori.appliance.current.config })
    late.alerts = alerts
    alerts.start(yori.appliance)
    const source = yori.folder.file('yori.conf')
    const load = (path: string): LoadedConfig =>
      loadConfig({ path, env: {}, cwd: yori.folder.path })
    const control: Control = new Control(yori.appliance.current.config, {
      appliance: yori.appliance,
      telemetry,
      alerts,
      settings: {
        load,
        reload: async () => {
          const { config } = load(source) as LoadedConfig & { kind: 'ok' }
          await yori.appliance.reload(config)
          await control.use(config)
          alerts.use(config)
        },
      },
      ...about,
      source,
    })
    await control.start()
    return new Controlled(yori, { control, telemetry, alerts })
  }

  get live(): Telemetry['live'] {
    return this.telemetry.live
  }

  get stateDir(): string {
    return this.yori.folder.file('state')
  }

  get token(): string {
    return readFileSync(tokenPath(this.stateDir), 'utf8').trim()
  }

  get address(): string {
    const { listen } = this.control.places
    if (listen === undefined) throw new Error('the control plane does not listen')
    return listen
  }

  get port(): number {
    return Number(this.address.split(':').at(-1))
  }

  ask(path: string, asking: Asking = {}): Promise<Said> {
    const { token = this.token, socket = false, body } = asking
    const bearer = token === null || socket ? {} : { authorization: `Bearer ${token}` }
    const text = body === undefined ? undefined : JSON.stringify(body)
    const json = text === undefined ? {} : { 'content-type': 'application/json' }
    return say({
      ...(socket
        ? { socketPath: this.control.places.socket ?? '' }
        : { host: '127.0.0.1', port: this.port }),
      path,
      method: asking.method ?? (text === undefined ? 'GET' : 'POST'),
      headers: { ...bearer, ...json, ...asking.headers },
      text,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.control.stop()
    await this.alerts.stop()
    await this.yori[Symbol.asyncDispose]()
  }
}

interface Wire {
  readonly host?: string
  readonly port?: number
  readonly socketPath?: string
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly text?: string | undefined
}

function say({ text, ...options }: Wire): Promise<Said> {
  return new Promise((resolve, reject) => {
    const asking = request({ ...options, agent: false }, (response) => {
      let said = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (said += piece))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, text: said, body: jsonIn(said) })
      })
    })
    asking.on('error', reject)
    asking.end(text)
  })
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
