/** Several gateways: one record of all. */
import { choice, secret, section, text } from './schema-parts.js'

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
})
