/**
 * What the interceptor `live_trace` stands for here: the control plane at a port of this machine,
 * personal data that is noted, and with `storage_mode: sqlite` the events of calls in the record.
 * Where the file says otherwise of these, that holds. Pure.
 */
import { isObject } from './defaults.js'

const USUAL_PORT = 7100

/** The values of a file, with what follows from its interceptors. */
export function withLiveTrace(value: unknown): unknown {
  if (!isObject(value) || !Array.isArray(value['interceptors'])) return value
  const all: readonly unknown[] = value['interceptors']
  const one = all.find((each) => isObject(each) && each['type'] === 'live_trace')
  if (!isObject(one) || one['enabled'] === false) return value
  const given = isObject(one['config']) ? one['config'] : {}
  const { server_port: port = USUAL_PORT, enable_presidio: notes = true } = given
  const events =
    given['storage_mode'] === 'sqlite' ? { audit: { call_events: true } } : {}
  const privacy = { policies: { files: { privacy: { enabled: true, action: 'alert' } } } }
  const isPort = typeof port === 'number'
  const door = isPort ? { control: { listen: `127.0.0.1:${port}` } } : {}
  const over = { ...door, ...events }
  return under(value, notes === true ? { ...over, ...privacy } : over)
}

/** What is there stays. */
function under(
  value: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const both: Record<string, unknown> = { ...value }
  for (const [key, added] of Object.entries(more)) {
    const there = both[key]
    if (there === undefined || there === null) both[key] = added
    else if (isObject(there) && isObject(added)) both[key] = under(there, added)
  }
  return both
}
