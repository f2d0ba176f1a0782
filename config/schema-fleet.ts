/** Several gateways: one record of all, and limits that hold across them. */
import { choice, count, secret, section, text } from './schema-parts.js'

export const shipSchema = section('A copy of the record on a server, of many gateways.', {
  to: choice({
    enum: ['postgres', 'clickhouse'],
    default: 'postgres',
    description: 'What the server is. For postgres the package pg has to be installed.',
  }),
  url: secret(
    'ship-url',
    'Where it is, such as postgres://yori@db.example:5432/yori?sslmode=verify-full or ' +
      'https://yori@db.example:8443/yori. Unless set, the record stays here.',
  ),
  gateway: text({
    format: 'label',
    description: 'What this YORI is called there; no other may have the same name.',
  }),
  password_file: text({
    format: 'path',
    description:
      'File whose first line is the password, mode 0600; read at each connection. Over that ' +
      'of the URL.',
  }),
  tls_ca: text({
    format: 'path',
    description:
      'PEM of the roots by which its certificate is verified, in the place of the public ones.',
  }),
})

export const fleetSchema = section('Several gateways that count as one.', {
  counters: section('Where they tell each other what was used, by Redis or Valkey.', {
    url: secret(
      'redis-url',
      'Such as rediss://yori@counters.example:6379/0. Unless set, each counts for itself.',
    ),
    password_file: text({
      format: 'path',
      description:
        'File whose first line is the password, mode 0600; read at each connection. Over ' +
        'that of the URL.',
    }),
    tls_ca: text({
      format: 'path',
      description:
        'PEM of the roots by which rediss:// is verified, in the place of the public ones.',
    }),
    name: text({
      format: 'door-name',
      default: 'yori',
      description: 'Of this fleet: what its keys there begin with.',
    }),
    gateways: count({
      default: 2,
      maximum: 1000,
      description:
        'How many gateways there are at least. While the server is away, each lets through ' +
        'that part of what was left.',
    }),
  }),
})
