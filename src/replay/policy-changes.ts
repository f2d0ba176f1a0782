/** `--set` and `--policies`: a configuration's policies with changes to them. Pure. */
import { YoriError } from '../core/errors.js'
import type { PoliciesConfig } from '../assembly/from-config/policy-set.js'

const ACTIONS = ['allow', 'alert', 'block'] as const
const FAIL_MODES = ['open', 'closed'] as const

type Setting = PoliciesConfig['files'][string]

/** As a policy is that the configuration does not name. */
const UNNAMED: Setting = {
  enabled: true,
  action: 'alert',
  fail_mode: 'open',
  order: 100,
  params: {},
}

/**
 * `bedtime.action=block`, `bedtime.params.start_hour=20`; values are JSON where they can be
 * read so, else text.
 * @throws YORI_CONFIG_INVALID
 */
export function changedPolicies(
  policies: PoliciesConfig,
  changes: { readonly set: readonly string[]; readonly directory?: string | undefined },
): PoliciesConfig {
  const files = { ...policies.files }
  for (const change of changes.set) {
    const [, name = '', key = '', param, raw] =
      /^(\w+)\.(enabled|action|fail_mode|order|params)(?:\.(\w+))?=(.*)$/s.exec(change) ??
      []
    if (raw === undefined) {
      throw wrong(change, 'write NAME.action=block or NAME.params.KEY=VALUE')
    }
    const before = files[name] ?? UNNAMED
    files[name] = { ...before, ...changed(change, key, { param, raw, before }) }
  }
  const { directory = policies.directory } = changes
  return { ...policies, files, ...(directory === undefined ? {} : { directory }) }
}

function changed(
  change: string,
  key: string,
  { param, raw, before }: { param: string | undefined; raw: string; before: Setting },
): Partial<Setting> {
  const value = valueOf(raw)
  if (key === 'params') {
    if (param === undefined) throw wrong(change, 'name the parameter: NAME.params.KEY')
    return { params: { ...before.params, [param]: value } }
  }
  if (param !== undefined) throw wrong(change, `${key} has no parts`)
  switch (key) {
    case 'enabled':
      if (typeof value === 'boolean') return { enabled: value }
      throw wrong(change, 'enabled is true or false')
    case 'action': {
      const action = ACTIONS.find((known) => known === value)
      if (action !== undefined) return { action }
      throw wrong(change, `action is one of ${ACTIONS.join(', ')}`)
    }
    case 'fail_mode': {
      const failMode = FAIL_MODES.find((known) => known === value)
      if (failMode !== undefined) return { fail_mode: failMode }
      throw wrong(change, `fail_mode is one of ${FAIL_MODES.join(', ')}`)
    }
    default:
      if (typeof value === 'number' && Number.isInteger(value)) return { order: value }
      throw wrong(change, 'order is a whole number')
  }
}

function valueOf(raw: string): unknown {
  try {
    return JSON.parse(raw) as unknown
  } catch {
    return raw
  }
}

function wrong(change: string, right: string): YoriError {
  return new YoriError('YORI_CONFIG_INVALID', `--set ${change}: ${right}`)
}
