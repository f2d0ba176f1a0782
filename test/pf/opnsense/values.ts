/** Values that fields of the model take: another than the usual one of each, and whole rows. */
import type { Field } from './model.js'

/** Another value than the usual one, that the field takes. */
const OTHER: Readonly<Record<string, string>> = {
  listen: '127.0.0.1:9443',
  override_password_hash: `sha256:${'a1'.repeat(32)}`,
  emergency_password_hash: `sha256:${'a2'.repeat(32)}`,
  admin_token_hash: `sha256:${'a3'.repeat(32)}`,
  timezone: 'Europe/Berlin',
  steer_interfaces: 'lan,opt1',
  steer_guests: 'guest',
  steer_exempt: '192.168.1.9,02:00:5e:10:00:01',
  steer_blocked: '192.168.1.8',
  steer_ranges: '203.0.113.0/24',
  steer_dns: '192.168.1.1',
  clients: '192.168.1.0/24,em1',
  own_names: 'yori.home.arpa',
  intercept_never: '*.bank.example',
  intercept_exempt_devices: '192.168.1.7',
  upstream_dns: '192.0.2.1',
  max_bytes: '2GiB',
  body_bytes: '32KiB',
  prune_at: '04:30',
  control_listen: '127.0.0.1:9088',
  ca_certificate: '5f3c1d2e4a6b7',
  ca_organization: 'Our house',
  alerts_quiet_hours: '22:00-07:00',
  alerts_answer_url: 'https://yori.home.arpa:8088',
  policies_default: 'strict.rego',
  device_name: 'Laptop',
  device_ip: '192.168.1.20',
  device_mac: '02:00:5e:10:00:01',
  device_group: 'children',
  device_expires_at: '2030-12-31T21:00:00Z',
  device_notes: 'blue',
  group_name: 'children',
  group_description: 'ours',
  group_ips: '192.168.1.20',
  group_macs: '02:00:5e:10:00:01',
  schedule_name: 'weekend',
  schedule_description: 'no school',
  schedule_days: 'saturday,sunday',
  schedule_start: '10:00',
  schedule_end: '12:00',
  schedule_ips: '192.168.1.20',
  schedule_groups: 'children',
  schedule_timezone: 'Europe/Paris',
  person_name: 'Ada',
  person_password_hash: `sha256:${'b1'.repeat(32)}`,
  person_pin_hash: `sha256:${'b2'.repeat(32)}`,
  endpoint_domain: 'llm.example.com',
  endpoint_fail_mode: 'closed',
  endpoint_max_body_bytes: '10MiB',
  provider_name: 'openai-web',
  policy_name: 'bedtime',
  policy_message: 'Good night',
  parameter_policy: 'bedtime',
  parameter_name: 'start_hour',
  parameter_kind: 'number',
  parameter_value: '20',
  sink_name: 'phone',
  sink_url: 'https://ntfy.example/topic',
  sink_secret: `whsec_${'A'.repeat(32)}`,
  sink_token: 'tk_1',
  sink_topic: 'topic',
  sink_host: 'mail.example',
  sink_port: '465',
  sink_user: 'ada',
  sink_password: 'secret words',
  sink_from: 'yori@example.org',
  sink_to: 'ada@example.org',
  rule_sinks: 'phone',
  rule_cooldown: '60',
  rule_quiet_hours: '21:00-06:00',
  limit_key: 'limits.connections',
  limit_value: '1000',
}

/** The rows that make each array's row whole; what it is when only one field is another. */
export const ROWS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'devices.device': { device_name: 'a', device_ip: '192.168.1.2' },
  'groups.group': { group_name: 'a' },
  'schedules.schedule': {
    schedule_name: 'a',
    schedule_start: '08:00',
    schedule_end: '09:00',
  },
  'people.person': {
    person_name: 'a',
    person_password_hash: `sha256:${'c1'.repeat(32)}`,
  },
  'endpoints.endpoint': { endpoint_domain: 'a.example.com' },
  'providers.provider': { provider_name: 'gemini-web' },
  'policies.policy': { policy_name: 'budget' },
  'parameters.parameter': {
    parameter_policy: 'curfew',
    parameter_name: 'hour',
    parameter_value: '7',
  },
  'sinks.sink': { sink_name: 'a', sink_type: 'gotify' },
  'rules.rule': { rule_name: 'disk' },
  'limits.limit': { limit_key: 'timeouts.drain', limit_value: '7' },
}

export function otherOf(field: Field): string {
  const given = OTHER[field.name]
  if (given !== undefined) return given
  if (field.type === 'BooleanField') return field.usual === '1' ? '0' : '1'
  const option = field.options.find((one) => one !== field.usual)
  if (option !== undefined) return option
  return String(Number(field.usual ?? field.minimum) + 1)
}
