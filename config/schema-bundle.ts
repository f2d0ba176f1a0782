/** Policies that come from a server, for many gateways. */
import { list, secret, seconds, section, text } from './schema-parts.js'

export const bundleSchema = section(
  'Policies by bundles of OPA, of one server for many gateways.',
  {
    url: text({
      format: 'http-url',
      description:
        'Where the bundle is, such as https://bundles.example/yori/bundle.tar.gz. Unless set, ' +
        'policies are those of this machine.',
    }),
    poll_seconds: seconds({
      default: 60,
      description: 'How often it is asked for, up to a fifth more or less by chance.',
    }),
    long_poll_seconds: seconds({
      maximum: 600,
      description:
        'How long the server may wait with its answer until there is a new one; unless set, ' +
        'it is not asked to.',
    }),
    key: text({
      format: 'path',
      description:
        'File of the key by which bundles are signed (or that PEM itself): PEM of RSA or P-256, or a secret of 32 ' +
        'characters and more. Bundles that are not signed are refused then.',
    }),
    roots: list({
      items: text({ maxLength: 256, description: 'Such as yori.' }),
      maxItems: 64,
      minItems: 1,
      default: ['yori'],
      single: true,
      uniqueBy: '',
      description: 'Under which packages and data of a bundle may lie.',
    }),
    token: secret('header-value', 'Sent as bearer token.'),
    token_file: text({
      format: 'path',
      description:
        'File whose first line is that token, mode 0600; read at each request.',
    }),
    file: text({
      format: 'path',
      derived: '<state_dir>/bundle.yori',
      description: 'Where the last good one is kept, for starts without the server.',
    }),
  },
)
