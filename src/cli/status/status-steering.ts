/** Whether packets are led here, and when they could not be: then nothing was seen at all. */
import { readOptional, readStatus, supervisorProcess } from '../../../pf/apply.js'
import {
  MEANWHILE,
  offMs,
  offPeriodsSince,
  parseOffPeriods,
  remediesFor,
} from '../../../pf/off-periods.js'
import { unledOf } from '../../../pf/rules-read.js'
import { steerSettings } from '../../../pf/settings.js'
import type { OffPeriod } from '../../../pf/off-periods.js'
import { steeringFiles } from '../../../pf/steering-files.js'
import type { Finding, StatusSection } from './status-section.js'

const DAY_MS = 86_400_000
const MOST_LINES = 10
const STEERED: Readonly<Record<string, string>> = {
  both: 'IPv4 and IPv6 are steered',
  inet: 'IPv4 alone is steered',
  inet6: 'IPv6 alone is steered',
}

export const steeringSection: StatusSection = {
  name: 'steering',
  read({ config, clock, days }): Finding {
    const files = steeringFiles(config.state_dir)
    const wish = readOptional(files.desired)?.trim() === 'on' ? 'on' : 'off'
    const supervisor = supervisorProcess(files)
    const holds = supervisor === undefined ? undefined : readStatus(files)?.holds
    const nowMs = clock.now()
    const sinceMs = nowMs - days * DAY_MS
    const all = parseOffPeriods(readOptional(files.offPeriods) ?? '')
    const periods = offPeriodsSince(all, sinceMs)
    const offSeconds = Math.round(offMs(all, { sinceMs, nowMs }) / 1000)
    const steered = holds === undefined ? undefined : STEERED[holds]
    const unled = wish === 'on' ? unledOf(steerSettings(config)) : undefined
    const facts = {
      wish,
      supervised: supervisor !== undefined,
      holds,
      offSeconds,
      periods,
    }
    return {
      level: wish === 'off' || holds === 'both' ? 'good' : steered ? 'notice' : 'bad',
      facts: { ...facts, ...(unled === undefined ? {} : { unled }) },
      lines: [
        wish === 'off'
          ? 'off, as wished for (`yori pf apply` leads packets here)'
          : (steered ?? `wished for, but ${holds ?? 'no supervisor runs'}`),
        ...(unled === undefined ? [] : [unled]),
        ...(periods.length === 0
          ? []
          : [`not steered for ${offSeconds} s in ${days} days:`]),
        ...periods.slice(-MOST_LINES).map(lineOf),
        ...remediesFor(periods).map((mend) => `-> ${mend}`),
      ],
    }
  },
}

function lineOf({ fromMs, toMs, cause, state }: OffPeriod): string {
  const to = toMs === undefined ? 'now' : new Date(toMs).toISOString()
  return `${new Date(fromMs).toISOString()} to ${to}: ${cause}; ${MEANWHILE[state]}`
}
