/** Steering for tests: settings with usual values, and what they are read to. */
import assert from 'node:assert/strict'
import { readSteering } from '../../pf/rules-read.js'
import type { Entry, SteerProblem, SteerSettings, Steering } from '../../pf/rules.js'

export function named(key: string, ...values: readonly string[]): Entry[] {
  return values.map((value, index) => ({ value, from: `${key}[${index}]` }))
}

const entry = (value: string, from: string): Entry => ({ value, from })

export function settings(changed: Partial<SteerSettings>): SteerSettings {
  return {
    interfaces: named('steer.interfaces', 'em1', 'vlan10'),
    guests: [],
    listen: named('listen', '0.0.0.0:8443', '[::]:8443'),
    families: { value: 'both', from: 'steer.families' },
    onFailure: { value: 'open', from: 'steer.on_failure' },
    exempt: [],
    blocked: [],
    direct: [],
    directInterfaces: [],
    address6: entry('fd79:6f72:6900::1', 'steer.address6'),
    tables: {
      llm: entry('yori_llm', 'steer.tables.llm'),
      exempt: entry('yori_exempt', 'steer.tables.exempt'),
      blocked: entry('yori_blocked', 'steer.tables.blocked'),
      clients: entry('yori_clients', 'steer.tables.clients'),
    },
    tableTimeout: 90,
    keptSeconds: 1800,
    ...changed,
  }
}

export function steering(changed: Partial<SteerSettings>): Steering {
  const read = readSteering(settings(changed))
  assert.ok(read.kind === 'ok', JSON.stringify(read))
  return read.steering
}

export function problemsOf(changed: Partial<SteerSettings>): readonly SteerProblem[] {
  const read = readSteering(settings(changed))
  return read.kind === 'ok' ? [] : read.problems
}
