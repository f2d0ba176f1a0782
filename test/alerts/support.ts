/** Receivers of alerts on loopback, and an office whose time a test decides. */
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { ALERT_RULES } from '../../config/schema-alerts.js'
import type { AlertRule } from '../../config/schema-alerts.js'
import type { AnswerTokens } from '../../src/alerts/answer-tokens.js'
import { NO_HISTORY } from '../../src/alerts/history.js'
import type { History } from '../../src/alerts/history.js'
import { PostOffice } from '../../src/alerts/post-office.js'
import { send } from '../../src/alerts/sinks/send.js'
import type {
  AlertEvent,
  PostSettings,
  RuleSettings,
  SinkSettings,
} from '../../src/alerts/words.js'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: Record<string, unknown>
}

/** Answers as it is told: a status, or nothing at all. */
export class Receiver implements AsyncDisposable {
  readonly got: Received[] = []
  /** Of the next requests in order; afterwards 200. */
  readonly script: (number | 'hang' | 'reset')[] = []
  readonly #server: Server
  #heard: (() => void)[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(port = 0): Promise<Receiver> {
    const server = createServer()
    const receiver = new Receiver(server)
    server.on('request', (request, response) => {
      let text = ''
      request.setEncoding('utf8')
      request.on('data', (piece: string) => (text += piece))
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        const next = receiver.script.shift() ?? 200
        if (next === 'reset') response.destroy()
        else if (next !== 'hang') {
          response.statusCode = next
          if (next === 302) response.setHeader('location', '/elsewhere')
          response.end('ok')
        }
        receiver.got.push({ method, path: url, headers, text, json: jsonOf(text) })
        for (const told of receiver.#heard.splice(0)) told()
      })
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return receiver
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`
  }

  /** When so many have come in all. */
  async received(count: number): Promise<readonly Received[]> {
    while (this.got.length < count)
      await new Promise<void>((resolve) => this.#heard.push(resolve))
    return this.got
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close').catch(() => undefined)
  }
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

export const sinkTo = (url: string, more: Partial<SinkSettings> = {}): SinkSettings => ({
  name: 'hook',
  type: 'webhook',
  to: [],
  starttls: 'required',
  transport: 'udp',
  url,
  ...more,
})

export interface SettingsMore {
  readonly timezone?: string
  readonly answerUrl?: string
  readonly rules?: Partial<Record<AlertRule, Partial<RuleSettings>>>
}

export function settingsFor(
  sinks: readonly SinkSettings[],
  { timezone = 'UTC', rules = {}, answerUrl }: SettingsMore = {},
): PostSettings {
  const base: RuleSettings = {
    enabled: true,
    sinks: sinks.map(({ name }) => name),
    cooldownMs: 900_000,
    quiet: [],
    escalateTo: [],
  }
  return {
    sinks,
    timezone,
    keepMs: 30 * 86_400_000,
    answerWithinMs: 3_600_000,
    ...(answerUrl === undefined ? {} : { answerUrl }),
    rules: Object.fromEntries(
      ALERT_RULES.map((rule) => [rule, { ...base, ...rules[rule] }]),
    ) as PostSettings['rules'],
  }
}

export interface OfficeMore {
  readonly history?: History
  readonly send?: typeof send
  readonly notes?: string[]
  readonly mostWaiting?: number
  readonly tryWithinMs?: number
  readonly tokens?: AnswerTokens
}

export function office(file: string, more: OfficeMore = {}): PostOffice {
  return new PostOffice({
    file,
    history: more.history ?? NO_HISTORY,
    send: more.send ?? send,
    ...(more.mostWaiting === undefined ? {} : { mostWaiting: more.mostWaiting }),
    ...(more.tryWithinMs === undefined ? {} : { tryWithinMs: more.tryWithinMs }),
    ...(more.tokens === undefined ? {} : { tokens: more.tokens }),
    note: (sink, reason) => more.notes?.push(`${sink}: ${reason}`),
  })
}

export function blockedEvent(at: number, more: Partial<AlertEvent> = {}): AlertEvent {
  return {
    rule: 'blocked',
    at,
    device: { id: '02:00:5e:10:00:01', ip: '192.168.1.20', hostname: 'tablet' },
    policy: 'bedtime',
    reason: 'it is bedtime',
    mode: 'enforce',
    metadata: { endpoint: 'api.openai.com', code: '7F3-K2M' },
    ...more,
  }
}
