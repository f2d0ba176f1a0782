/**
 * What the engine is told before and after the files of a rule set: how it reads bodies, what
 * the settings of either generation are called, and the exclusions. Pure.
 */
import { SCORE_RULE } from './said.js'
import type { RuleSet } from './rule-set.js'
import { holdsAt } from './settings.js'
import type { Exclusion, WafSettings } from './settings.js'

type Settings = Pick<WafSettings, 'paranoia' | 'threshold' | 'exclusions'>

/** Of rules of ours: two numbers an exclusion. */
const FIRST_EXCLUSION = 9_501_000

/** Beside those of the rule set: what the APIs of models use. */
const METHODS = 'GET HEAD POST OPTIONS PUT PATCH DELETE'

/** Read before the files of the set. `nowMs`: which exclusions still hold. */
export function before(
  { version, generation }: Pick<RuleSet, 'version' | 'generation'>,
  { paranoia, threshold, exclusions }: Settings,
  nowMs: number,
): string {
  const levels =
    generation === 3
      ? ['paranoia_level', 'executing_paranoia_level']
      : ['blocking_paranoia_level', 'detection_paranoia_level']
  const set: readonly (readonly [string, string | number])[] = [
    ['crs_setup_version', version.replace(/-.*$/, '').replaceAll('.', '')],
    ...levels.map((name) => [name, paranoia] as const),
    ['inbound_anomaly_score_threshold', threshold],
    ['allowed_methods', METHODS],
  ]
  const variables = set.map(([name, value]) => `setvar:'tx.${name}=${value}'`).join(',')
  return `
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 67108864
SecRequestBodyNoFilesLimit 67108864
SecRequestBodyLimitAction ProcessPartial
SecRequestBodyJsonDepthLimit 128
SecResponseBodyAccess Off
SecAuditEngine Off
SecXmlExternalEntity Off
SecArgumentSeparator &
SecCookieFormat 0
SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/(?:[a-z0-9.-]+\\+)?json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecAction "id:900990,phase:1,nolog,pass,t:none,${variables}"
${exclusions
  .filter((one) => holdsAt(one, nowMs))
  .map((one, index) => exclusionText(one, FIRST_EXCLUSION + index))
  .join('\n')}
`
}

/** Read after them: the score, where nothing stops the request. */
export function after({ generation }: Pick<RuleSet, 'generation'>): string {
  const name = generation === 3 ? 'anomaly_score' : 'blocking_inbound_anomaly_score'
  return `SecAction "id:${SCORE_RULE},phase:2,pass,t:none,log,msg:'score %{tx.${name}}'"`
}

function exclusionText({ route, rule, argument }: Exclusion, id: number): string {
  const by = /^\d+$/.test(rule) ? 'Id' : 'Tag'
  const action =
    argument === undefined
      ? `ctl:ruleRemoveBy${by}=${rule}`
      : `ctl:ruleRemoveTargetBy${by}=${rule};${targetOf(argument)}`
  const common = `id:${id},phase:1,t:none,pass,nolog`
  const { host, path } = routeOf(route)
  const onHost = `SecRule REQUEST_HEADERS:Host "@rx ^${host?.replaceAll('.', '\\.').replace('*', '.+')}(?::\\d+)?$"`
  const onPath = `SecRule REQUEST_URI "@beginsWith ${path}"`
  if (host !== undefined && path !== undefined)
    return `${onHost} "${common},t:lowercase,chain"\n  ${onPath} "t:none,${action}"`
  if (host !== undefined) return `${onHost} "${common},t:lowercase,${action}"`
  if (path !== undefined) return `${onPath} "${common},${action}"`
  return `SecAction "${common},${action}"`
}

/** `api.openai.com/v1/` is a host and the beginning of a path. */
export function routeOf(route: string | undefined): {
  readonly host: string | undefined
  readonly path: string | undefined
} {
  if (route === undefined) return { host: undefined, path: undefined }
  const slash = route.indexOf('/')
  if (slash < 0) return { host: route.toLowerCase(), path: undefined }
  const host = slash === 0 ? undefined : route.slice(0, slash).toLowerCase()
  return { host, path: route.slice(slash) }
}

/** As the engine calls it. */
function targetOf(argument: string): string {
  return /^[A-Z][A-Z_]*(?::|$)/.test(argument) ? argument : `ARGS:${argument}`
}
