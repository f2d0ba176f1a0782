/** Policies, and what lets people past them. */
import { bundleSchema } from './schema-bundle.js'
import { choice, count, flag, item, list, secret, section, text } from './schema-parts.js'

export const policiesSchema = section('Rego policies and what each may do.', {
  directory: text({
    format: 'path',
    description:
      "Folder of the household's own *.rego files, beside those that come with YORI.",
  }),
  default: text({
    format: 'file-name',
    default: 'home_default.rego',
    description: 'The file that speaks when no other has an opinion.',
  }),
  bundle: bundleSchema,
  files: {
    type: 'object',
    propertyNames: { format: 'file-name' },
    additionalProperties: section('One policy.', {
      enabled: flag(true, 'false keeps it silent.'),
      action: choice({
        enum: ['allow', 'alert', 'block'],
        default: 'alert',
        description: 'The most that its opinion may lead to.',
      }),
      fail_mode: choice({
        enum: ['open', 'closed'],
        default: 'open',
        description: 'What happens when it cannot be evaluated.',
      }),
      order: count({
        default: 100,
        minimum: 0,
        maximum: 100_000,
        description: 'Ties go to the lower one.',
      }),
      message: text({
        description: 'What people are told when it blocks, in place of our own words.',
      }),
      params: {
        type: 'object',
        additionalProperties: true,
        default: {},
        description: 'Handed to the policy as `data.params`; any values.',
      },
    }),
    maxProperties: 256,
    default: {},
    description:
      'Policy name (the file without .rego; `default` for the default policy).',
  },
})

const devices = list({
  items: item('A device; give `ip`, `mac` or both (then both must match).', ['name'], {
    name: text({ format: 'label', description: 'What the household calls it.' }),
    ip: text({ format: 'ip', description: 'Its address.' }),
    mac: text({ format: 'mac', description: 'Its hardware address.' }),
    enabled: flag(true, 'false suspends the entry.'),
    permanent: flag(false, 'true outlives `enabled: false` and `expires_at`.'),
    exempt: flag(true, 'false only names it and its group: policies hold for it.'),
    group: text({ format: 'label', description: 'The group that it belongs to.' }),
    expires_at: text({
      format: 'moment',
      description: 'From this moment on it no longer counts.',
    }),
    notes: text({ description: 'For people.' }),
  }),
  maxItems: 1000,
  default: [],
  description: 'Devices.',
})

const ips = list({
  items: text({ format: 'ip', description: 'An address.' }),
  maxItems: 1000,
  default: [],
  description: 'Devices by address.',
})

const groups = list({
  items: item('A group of devices.', ['name'], {
    name: text({ format: 'label', description: 'Its name.' }),
    description: text({ description: 'For people.' }),
    device_ips: ips,
    device_macs: list({
      items: text({ format: 'mac', description: 'A hardware address.' }),
      maxItems: 1000,
      default: [],
      description: 'Devices by hardware address.',
    }),
    enabled: flag(true, 'false suspends the group.'),
    exempt: flag(true, 'false only names its devices: policies hold for them.'),
  }),
  maxItems: 256,
  default: [],
  uniqueBy: 'name',
  description: 'Groups.',
})

const timeExceptions = list({
  items: item(
    'A time in which nothing is blocked; [start, end), overnight when end is before start.',
    ['name', 'start_time', 'end_time'],
    {
      name: text({ format: 'label', description: 'Its name.' }),
      description: text({ description: 'For people.' }),
      days: list({
        items: choice({
          enum: [
            'monday',
            'tuesday',
            'wednesday',
            'thursday',
            'friday',
            'saturday',
            'sunday',
          ],
          description: 'A day.',
        }),
        maxItems: 7,
        default: [],
        single: true,
        uniqueBy: '',
        description: 'Days on which it opens; none means every day.',
      }),
      start_time: text({ format: 'time-of-day', description: 'From.' }),
      end_time: text({ format: 'time-of-day', description: 'Until, not included.' }),
      device_ips: ips,
      groups: list({
        items: text({ format: 'label', description: 'A group.' }),
        maxItems: 256,
        default: [],
        description: 'Groups that it holds for; without groups and devices, all devices.',
      }),
      timezone: text({
        format: 'timezone',
        description: "Unless set, `enforcement.timezone`, else the system's.",
      }),
      enabled: flag(true, 'false suspends it.'),
    },
  ),
  maxItems: 256,
  default: [],
  uniqueBy: 'name',
  description: 'Times in which nothing is blocked.',
})

export const enforcementSchema = section(
  'Blocking. It needs `mode: enforce`, `enabled` and `consent_accepted`.',
  {
    enabled: flag(false, 'Whether policies may block.'),
    consent_accepted: flag(
      false,
      'That you know: blocking can break applications, and whoever makes YORI fail gets through.',
    ),
    allowlist: section('Whom nothing blocks.', {
      devices,
      groups,
      time_exceptions: timeExceptions,
    }),
    list_mode: choice({
      enum: ['allowlist', 'blocklist'],
      default: 'allowlist',
      description: 'blocklist: policies hold for listed devices only.',
    }),
    emergency_override: section('One switch that ends all blocking.', {
      enabled: {
        type: 'boolean',
        description:
          'Whether it can be used. Unless set: once it has a password, of here or of ' +
          '`yori emergency set-password`.',
      },
      password_hash: secret('password-hash', 'The password for it, hashed.'),
      require_password: flag(true, 'false lets anyone at the command line use it.'),
    }),
    override_enabled: flag(false, 'Whether the block page takes a password.'),
    override_password_hash: secret('password-hash', 'That password, hashed.'),
    admin_token_hash: secret(
      'password-hash',
      'The token for emergency overrides, hashed.',
    ),
    hold_seconds: {
      type: 'integer',
      unit: 'seconds',
      default: 55,
      minimum: 1,
      maximum: 600,
      description:
        'How long a request that a policy holds waits for the word of an adult. Many clients ' +
        'of MCP give up after 60.',
    },
    grant_seconds: {
      type: 'integer',
      unit: 'seconds',
      default: 1800,
      minimum: 60,
      maximum: 86_400,
      description: 'How long an override lasts.',
    },
    timezone: text({
      format: 'timezone',
      description: "For policies and times; unless set, the system's.",
    }),
  },
)
