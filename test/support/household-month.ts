/**
 * November 2026 of a made-up household in Berlin, as its record has it: two adults, a child, an
 * agent that works by night once, a new tablet on the 20th, a day on which steering failed.
 * Seeded: the same at each run.
 */
import type { ConnectionRecord, Device, ExchangeRecord } from '../../src/core/record.js'
import { closed, connection } from '../audit/support.js'

export const MONTH_START = Date.parse('2026-11-01T00:00:00+01:00')
export const MONTH_END = Date.parse('2026-12-01T00:00:00+01:00')
export const ZONE = 'Europe/Berlin'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const DEVICES = {
  phone: { ip: '192.168.1.10', mac: '02:00:5e:00:00:10', hostname: 'pixel-8' },
  laptop: { ip: '192.168.1.11', mac: '02:00:5e:00:00:11', hostname: 'thinkpad' },
  child: { ip: '192.168.1.20', mac: '02:00:5e:00:00:20', hostname: 'bos-laptop' },
  tablet: { ip: '192.168.1.21', mac: '02:00:5e:00:00:21', hostname: '<b>tablet</b>' },
} as const satisfies Record<string, Device>

/** Whose they are, as `yori device` keeps it. */
export const HOUSEHOLD = [
  { mac: DEVICES.phone.mac, name: 'phone', person: 'Ada' },
  { mac: DEVICES.laptop.mac, name: 'work laptop', person: 'Ada' },
  { mac: DEVICES.child.mac, name: 'school laptop', person: 'Bo' },
]

export type Seen =
  | { readonly at: number; readonly exchange: ExchangeRecord }
  | { readonly at: number; readonly connection: ConnectionRecord }

/** In the order of time. */
export function month(): readonly Seen[] {
  const seen: Seen[] = []
  const random = seeded(20261101)
  let talk = 0
  const say = (at: number, device: Device, more: Partial<ExchangeRecord>): void => {
    seen.push({
      at,
      exchange: closed({
        ...{
          device,
          startedAt: at,
          call: true,
          provider: 'openai',
          sessionId: `talk-${talk}`,
        },
        ...{ inputTokens: 400, outputTokens: 300, costMicroUsd: 2_000 },
        ...more,
      }),
    })
  }
  const talkOf = (
    at: number,
    device: Device,
    turns: number,
    more: Partial<ExchangeRecord>,
  ) => {
    talk++
    for (let n = 0; n < turns; n++) say(at + n * 70_000, device, more)
    return at + turns * 70_000
  }
  const claude = {
    ...{
      provider: 'anthropic',
      endpointDomain: 'api.anthropic.com',
      path: '/v1/messages',
    },
    ...{ model: 'claude-sonnet-4-5', agentId: 'claude-code', costMicroUsd: 40_000 },
    promptPreview: 'Refactor the function that parses dates and run the tests',
  }
  for (let day = 0; day < 30; day++) {
    const start = MONTH_START + day * DAY
    const isWeekend = [0, 6].includes(new Date(start + 12 * HOUR).getUTCDay())
    talkOf(start + 7 * HOUR + Math.floor(random() * 20) * MINUTE, DEVICES.phone, 2, {
      promptPreview: 'A quick recipe for dinner with lentils',
    })
    if (!isWeekend)
      talkOf(start + 10 * HOUR, DEVICES.laptop, 12 + Math.floor(random() * 8), claude)
    const afternoon = talkOf(
      start + 16 * HOUR,
      DEVICES.child,
      5 + Math.floor(random() * 5),
      {
        promptPreview: 'Help me with my homework: what is photosynthesis?',
      },
    )
    talkOf(afternoon + HOUR, DEVICES.child, 3, {
      promptPreview: 'Tell me a Minecraft trick',
    })
    // After bedtime, on three evenings, again and again.
    if ([3, 9, 17].includes(day))
      for (let n = 0; n < 6; n++)
        say(start + 21 * HOUR + 30 * MINUTE + n * 2 * MINUTE, DEVICES.child, {
          ...{
            outcome: 'block',
            status: 403,
            policyName: 'bedtime',
            costMicroUsd: 0,
          },
          ...{ reason: 'It is after 21:00.', policyDecision: 'deny' },
        })
    for (let n = 0; n < 20; n++)
      seen.push({
        at: start + (8 + (n % 12)) * HOUR + n * MINUTE,
        connection: connection({
          device: DEVICES.phone,
          openedAt: start + (8 + (n % 12)) * HOUR + n * MINUTE,
          closedAt: start + (8 + (n % 12)) * HOUR + n * MINUTE + 5_000,
          nameClass: 'api.openai.com',
          coverage:
            n < 14 ? 'inspected' : n < 18 ? 'tunnel-pinned' : 'tunnel-not-trusted',
        }),
      })
  }
  // A card number in a prompt, hidden from the provider.
  say(MONTH_START + 6 * DAY + 19 * HOUR, DEVICES.phone, {
    ...{ findings: [{ kind: 'card', count: 1 }], redacted: 1, policyName: 'privacy' },
    promptPreview: 'Is this invoice right? [card]',
  })
  // The agent that could not stop: 200 calls in ten minutes, by night.
  talk++
  for (let n = 0; n < 200; n++)
    say(MONTH_START + 12 * DAY + 2 * HOUR + n * 3_000, DEVICES.laptop, {
      ...claude,
      sessionId: 'runaway',
    })
  talkOf(MONTH_START + 19 * DAY + 15 * HOUR, DEVICES.tablet, 4, {
    promptPreview: 'Draw a picture of a horse',
  })
  return seen.sort((a, b) => a.at - b.at)
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
