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
import { momentText } from '../../core/moment-text.js'
import type { OffPeriod } from '../../../pf/off-periods.js'
import { wayTold } from '../../../pf/steering-words.js'
import type { WayTold } from '../../../pf/steering-words.js'
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
    const told = supervisor === undefined ? undefined : readStatus(files)
    const holds = told?.holds
    const way = told === undefined || wish === 'off' ? [] : wayTold(told)
    const unwell = way.filter(({ level }) => level !== 'good')
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
      level: levelOf(wish, holds, way),
      facts: { ...facts, way, ...(unled === undefined ? {} : { unled }) },
      lines: [
        wish === 'off'
          ? 'off, as wished for (`yori pf apply` leads packets here)'
          : (steered ??
            `wished for, but ${holds ?? (supervisor === undefined ? 'no supervisor runs' : 'the supervisor has not said how it stands: is the disk full?')}`),
        ...(unled === undefined ? [] : [unled]),
        ...unwell.map(({ what }) => what),
        ...(periods.length === 0
          ? []
          : [`not steered for ${offSeconds} s in ${days} days:`]),
        ...periods
          .slice(-MOST_LINES)
          .map((period) => lineOf(period, config.enforcement.timezone)),
        ...remedies(periods, unwell).map((mend) => `-> ${mend}`),
      ],
    }
  },
}

function levelOf(
  wish: 'on' | 'off',
  holds: string | undefined,
  way: readonly WayTold[],
): Finding['level'] {
  if (wish === 'off') return 'good'
  if (holds === undefined || STEERED[holds] === undefined) return 'bad'
  if (way.some(({ level }) => level === 'bad')) return 'bad'
  return holds === 'both' && way.every(({ level }) => level === 'good')
    ? 'good'
    : 'notice'
}

function remedies(periods: readonly OffPeriod[], way: readonly WayTold[]): string[] {
  const now = way.flatMap(({ mend }) => mend ?? [])
  return [...new Set([...remediesFor(periods), ...now])]
}

function lineOf(
  { fromMs, toMs, cause, state }: OffPeriod,
  zone: string | undefined,
): string {
  const long =
    toMs === undefined ? 'to now' : `for ${Math.round((toMs - fromMs) / 1000)} s`
  return `${momentText(fromMs, zone)} ${long}: ${cause}; ${MEANWHILE[state]}`
}
