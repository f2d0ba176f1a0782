/** Values that the policy tests share. */
import { canonicalAddress } from '../../src/core/address.js'
import { macText } from '../../src/core/mac.js'
import type { Device } from '../../src/core/record.js'
import type { Opinion, Policy, PolicyInput, UsageInput } from '../../src/policy/policy.js'
import type { ListedDevice, TimeException } from '../../src/policy/state.js'

export const NOON = Date.parse('2026-03-04T12:00:00Z')
export const MAC = '02:00:5e:10:00:01'

export const input: PolicyInput = {
  request: {
    id: 'r1',
    timestamp: '2026-03-04T12:00:00.000Z',
    method: 'POST',
    path: '/v1/chat/completions',
    headers: {},
    body: null,
    body_state: 'absent',
    call: true,
    tools: null,
    models: [],
  },
  device: {
    ip: '192.0.2.10',
    mac: null,
    hostname: null,
    user_agent: null,
    name: null,
    groups: [],
  },
  endpoint: { domain: 'api.openai.com', provider: 'openai' },
  context: {
    date: '2026-03-04',
    hour: 12,
    minute: 0,
    minute_of_day: 720,
    day_of_week: 'wednesday',
    day_before: 'tuesday',
    is_weekend: false,
    request_count_today: 1,
    request_count_this_hour: 1,
  },
  counters: { device: noUsage(), groups: {}, policies: {} },
  session: null,
  agent_id: null,
  estimate: { input_tokens: null, cost_usd: null },
  model: null,
  prompt: '',
  prompt_end: '',
  prompt_chars: 0,
  text: '',
  said: { person: '', program: '', tool: '', model: '' },
  said_chars: { person: 0, program: 0, tool: 0, model: 0 },
  findings: [],
}

export function noUsage(): UsageInput {
  const nothing = { requests: 0, tokens: 0, cost_usd: 0, estimated_usd: 0 }
  return { hour: nothing, today: { ...nothing, minutes: 0 }, month: nothing, days: [] }
}

export function policy(
  name: string,
  opinion: Opinion | undefined,
  readsContent = false,
): Policy {
  return { name, readsContent, judge: () => opinion }
}

export function device(ip: string, mac?: string): Device {
  const canonical = canonicalAddress(ip)
  if (canonical === undefined) throw new RangeError(ip)
  const hardware = mac === undefined ? undefined : macText(mac)
  return { ip: canonical, ...(hardware === undefined ? {} : { mac: hardware }) }
}

export function listed(part: Partial<ListedDevice>): ListedDevice {
  return { name: 'laptop', enabled: true, permanent: false, ...part }
}

export function exception(part: Partial<TimeException>): TimeException {
  return {
    name: 'homework',
    days: [],
    start: 0,
    end: 24 * 60,
    ips: [],
    macs: [],
    groups: [],
    enabled: true,
    ...part,
  }
}
