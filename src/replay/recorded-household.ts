/** What surrounds recorded requests: devices, groups, times and prices, as they are today. */
import { existsSync } from 'node:fs'
import { loadCatalogue } from '../../config/read-catalogue.js'
import type { Config } from '../../config/schema.js'
import { PolicyDatabase, policyDatabasePath } from '../household/policy-database.js'
import { listsOf } from '../assembly/from-config/policies.js'
import { timeRules } from '../policy/built-in.js'
import { bypassOf } from '../policy/bypass.js'
import { voiceOf } from '../policy/combine.js'
import type { Voice } from '../policy/combine.js'
import { TIME_RULES } from '../policy/decider.js'
import { DeviceBook } from '../policy/devices.js'
import { LocalTimes } from '../policy/local-time.js'
import { EMPTY_STATE, united } from '../policy/state.js'
import type { PolicyState } from '../policy/state.js'
import { Catalogue } from '../providers/catalogue.js'
import type { RecordedInput } from './recorded-input.js'

/** Devices, groups and times as the lists have them today. */
export function householdOf(config: Config, nowMs: number) {
  const zone = config.enforcement.timezone
  const times = new LocalTimes()
  const state = united(listsOf(config), keptState(config, nowMs))
  const book = new DeviceBook(state, new Map())
  const rules = timeRules(() => ({ state, book }), { times, zone })
  const setting = config.policies.files[rules.name]
  const { list_mode: listMode } = config.enforcement
  const bypass = { state, book, times, zone, listMode, emergencyAllowed: false }
  const isRuled = state.rules.length > 0 && setting?.enabled !== false
  const about = ({ input, nowMs: at, device }: RecordedInput) => {
    const said = isRuled ? rules.judge(input, { nowMs: at }) : undefined
    const opinion = said instanceof Promise ? undefined : said
    const fixed: readonly Voice[] =
      opinion === undefined || opinion.kind === 'exhausted'
        ? NO_VOICES
        : [voiceOf(rules.name, opinion, TIME_RULES)]
    const isPast = (policy: string): boolean => {
      const endpoint = input.endpoint.domain
      return bypassOf(bypass, { device, policy, endpoint }, at) !== undefined
    }
    return { fixed, isPast }
  }
  return { zone, times, book, about }
}

const NO_VOICES: readonly Voice[] = []

/** What people have decided, without what was for its moment. */
export function keptState(config: Config, nowMs: number): PolicyState {
  const file = policyDatabasePath(config.state_dir)
  if (!existsSync(file)) return EMPTY_STATE
  try {
    using database = new PolicyDatabase(file)
    // Grants and emergencies were for their moment.
    const { emergency: _emergency, ...state } = database.state(nowMs)
    return { ...state, grants: [] }
  } catch {
    return EMPTY_STATE
  }
}

export async function catalogueOf(config: Config): Promise<Catalogue> {
  const loaded = await loadCatalogue(config.catalogue.file)
  return loaded.kind === 'ok' ? loaded.catalogue : new Catalogue([])
}
