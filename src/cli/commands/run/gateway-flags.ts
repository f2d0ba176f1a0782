/**
 * A gateway to one provider by flags (`--base-url`, `--type`, `--api-key`) or by the environment
 * (`LLM_BASE_URL`, `LLM_TYPE`, `LLM_API_KEY`, `LOG_LEVEL`), in the words of the configuration.
 */
import {
  GATEWAY_HOST,
  GATEWAY_PORT,
  providerOf,
  logLevel,
} from '../../../../config/gateway-file.js'
import type { Override } from '../../../../config/load.js'
import { usage } from '../../usage.js'

export interface GatewayFlags {
  readonly config?: string
  readonly baseUrl?: string
  readonly type?: string
  readonly apiKey?: string
}

type Env = Readonly<Record<string, string | undefined>>

/** Over the file; none where nobody asks for a gateway. A flag counts before a variable. */
export function gatewayOverrides(flags: GatewayFlags, env: Env): Override[] {
  const { baseUrl, type } = flags
  const byFlag = baseUrl !== undefined
  if (!byFlag && type !== undefined)
    usage('--type says whose API --base-url speaks: name that, too')
  const url = baseUrl ?? textIn(env, 'LLM_BASE_URL')
  const speaks = type ?? textIn(env, 'LLM_TYPE')
  if (url === undefined) return []
  if (speaks === undefined) {
    if (!byFlag) return []
    usage(
      '--base-url needs --type, which says whose API is spoken there: openai, anthropic',
    )
  }
  const from = byFlag ? 'command line' : 'environment'
  const name = byFlag ? '--base-url' : 'LLM_BASE_URL'
  const key = flags.apiKey ?? textIn(env, 'LLM_API_KEY')
  const provider = providerOf({
    base_url: url,
    ...(key === undefined ? {} : { api_key: literal(key) }),
  })
  const level = textIn(env, 'LOG_LEVEL')
  return [
    // What a file says beside it stays.
    { name, from, path: ['gateway', 'default'], value: speaks },
    { name, from, path: ['gateway', 'providers', speaks], value: provider },
    // Its file says where, when there is one.
    ...(flags.config === undefined
      ? [
          {
            name,
            from,
            path: ['listen'],
            value: `${GATEWAY_HOST}:${GATEWAY_PORT}`,
          } as const,
        ]
      : []),
    ...(level === undefined
      ? []
      : [
          {
            name: 'LOG_LEVEL',
            from: 'environment',
            path: ['log', 'level'],
            value: logLevel(level),
          } as const,
        ]),
  ]
}

function textIn(env: Env, name: string): string | undefined {
  const text = env[name]
  return text === undefined || text === '' ? undefined : text
}

/** A key is taken as it stands: nothing in it is a variable, and what looks like one is none. */
function literal(key: string): string {
  if (/\$\{[^}]*\}/.test(key))
    usage('the key holds ${...}, which stands for a variable in a file')
  return key
}
