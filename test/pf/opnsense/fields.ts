/**
 * Which configuration key each field of the plugin's model is: what `keys.json` says, by which
 * the pages show a problem at its field, and which keys the pages leave alone.
 */
import { readFileSync } from 'node:fs'
import { MVC, pluginFile } from './model.js'

/** By field path; `rc.conf.d:NAME` is a variable of the service. */
export const KEYS = JSON.parse(
  readFileSync(pluginFile(...MVC, 'models', 'OPNsense', 'YORI', 'keys.json'), 'utf8'),
) as Readonly<Record<string, string>>

/** A key, or all that begins with it and a dot; each with why the pages have no field for it. */
export const NOT_OFFERED: Readonly<Record<string, string>> = {
  config_version: 'the template is of one version',
  state_dir: 'the package made the folder, with its owner',
  endpoints:
    'would take the place of the whole list; endpoints_add and providers change it',
  proxy: 'the certificate is that of the own CA; time and size are limits',
  'upstream.extra_ca': 'files, which the pages cannot put there',
  'upstream.resolve': 'for tests',
  'upstream.connections_per_name': 'its default suits a router',
  'upstream.idle_timeout': 'its default suits a router',
  'upstream.dns_stale': 'its default suits a router',
  'inspect.max_body_bytes': 'its default suits a router',
  'inspect.json_depth': 'its default suits a router',
  'inspect.json_values': 'its default suits a router',
  'inspect.detect_rules': 'a file, which the pages cannot put there',
  'enforcement.hold_seconds': 'its default suits clients of MCP',
  'inspect.on_uninspectable': 'what is right follows from the mode',
  'access.relay': 'an open proxy is nothing for a router',
  'access.ports': 'an open proxy is nothing for a router',
  'access.plain_ports': 'an open proxy is nothing for a router',
  'access.allow_destinations': 'an open proxy is nothing for a router',
  'access.users': 'an open proxy is nothing for a router',
  gateway: 'doors for programs, which have their own dashboard',
  'steer.transparent': 'Linux',
  'steer.shared': 'its default suits a household',
  'steer.keep': 'its default suits a router',
  'steer.table_timeout': 'nftables',
  'steer.probe_every': 'nftables',
  'steer.address6': 'the package puts it on lo0',
  'steer.tables': 'the alias is yori_llm',
  'steer.appliance': 'YORI is on the router itself',
  'alerts.answer_within': 'its default suits a household',
  'alerts.sinks.NAME.url_file':
    'the page has the secret itself, and does not show it again',
  'alerts.sinks.NAME.secret_file': 'as url_file',
  'alerts.sinks.NAME.token_file': 'as url_file',
  'alerts.sinks.NAME.password_file': 'as url_file',
  'alerts.sinks.NAME.tls_ca': 'a file, which the pages cannot put there',
  'alerts.rules.NAME.escalate_after': 'YORI’s own dashboard has it',
  'alerts.rules.NAME.escalate_to': 'YORI’s own dashboard has it',
  'alerts.rules.NAME.percent': 'its default suits a household',
  'alerts.rules.NAME.calls': 'its default suits a household',
  'alerts.rules.NAME.within': 'its default suits a household',
  otel: 'a household has no collector',
  mcp: 'for agents on the router itself, which has none',
  interceptors: 'files of another program that are read as they are, none of a router',
  processors: 'programs beside YORI, which the pages cannot install',
  waf: 'an engine and rules beside YORI, which the pages cannot install',
  'audit.database': 'in state_dir',
  'audit.ship': 'a household has one gateway',
  fleet: 'a household has one gateway',
  'audit.sinks': 'a household has no collector of logs',
  'policies.bundle': 'a household has one gateway',
  'audit.batch_rows': 'its default suits a router',
  'audit.batch_ms': 'its default suits a router',
  catalogue: 'a file, which the pages cannot put there',
  'enforcement.allowlist': 'its lists are fields',
  'ca.directory': 'in state_dir',
  'ca.permitted': 'of a new root alone, which the service makes',
  'ca.passphrase': 'a service could not be started by itself',
  'ca.passphrase_file': 'a service could not be started by itself',
  'ca.leaf_days': 'its default suits a household',
  'ca.issuing_days': 'its default suits a household',
  'ca.root_days': 'its default suits a household',
  'log.file': 'where newsyslog and the log page look for it',
}
