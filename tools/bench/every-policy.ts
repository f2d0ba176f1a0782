/** All ready-made policies that may block, with bounds that nothing harmless meets. */
const PARAMS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  model_allowlist: { models: ['gpt-*'] },
  high_usage: { daily_threshold: 1_000_000 },
  daily_allowance: { messages: 1_000_000 },
  hourly_quota: { per_hour: 1_000_000, peak_per_hour: 1_000_000 },
  bedtime: { days: ['monday'], groups: ['nobody'] },
  cost_limit: { daily_usd: 1_000_000, daily_tokens: 1_000_000_000 },
  budget: { monthly_usd: 1_000_000 },
  agent_governor: {
    max_tokens: 1_000_000_000,
    max_requests: 1_000_000,
    max_usd: 1_000_000,
  },
  prompt_length: { warn_chars: 1_000_000_000, max_chars: 1_000_000_000 },
}

const NAMES = [
  'bedtime',
  'high_usage',
  'privacy',
  'homework_helper',
  'budget',
  'cost_limit',
  'parental',
  'model_allowlist',
  'hourly_quota',
  'prompt_length',
  'tool_guard',
  'mcp_guard',
  'daily_allowance',
  'agent_governor',
]

/** As `policies.files` of a configuration. */
export const EVERY_POLICY: Readonly<Record<string, Readonly<Record<string, unknown>>>> =
  Object.fromEntries(
    NAMES.map((name) => [
      name,
      { action: 'block', ...(PARAMS[name] && { params: PARAMS[name] }) },
    ]),
  )
