/** The firewall of a configuration: one more processor, and what its process is told. */
import { join } from 'node:path'
import type { Config } from '../../../config/schema.js'

type Entry = Config['processors'][number]
type Parts = Pick<Config, 'processors' | 'waf' | 'state_dir'>

/** By which its word stands in the record. */
export const WAF_NAME = 'waf'

export function wafSocket({ state_dir }: Pick<Config, 'state_dir'>): string {
  return join(state_dir, 'waf.sock')
}

/** The processors, with the firewall where it is enabled. */
export function withWaf(config: Parts): readonly Entry[] {
  const { processors, waf } = config
  return waf.enabled ? [...processors, entryOf(config)] : processors
}

function entryOf(config: Parts): Entry {
  const { action, fail_mode, timeout_ms, routes, headers, body_bytes } = config.waf
  return {
    ...{ name: WAF_NAME, enabled: true, dialect: 'uds', address: wafSocket(config) },
    ...{ action, fail_mode, routes, headers, body_bytes },
    ...(timeout_ms === undefined ? {} : { timeout_ms }),
    events: ['request_headers', 'request_body'],
    // All of them: what it can read is for its rules to say.
    content_types: ['*'],
    ...{ over_limit: 'partial', sees: 'redacted', order: 100 },
    ...{ tls: false, shape: 'litellm', connections: 4, concurrency: 100 },
  }
}
