/** From the configuration to what the process of the firewall is told. */
import type { Config } from '../../config/schema.js'
import { wafSocket } from '../assembly/from-config/waf.js'
import type { WafSettings } from './settings.js'

/** Undefined: there is to be none. */
export function wafSettingsOf(
  config: Pick<Config, 'waf' | 'state_dir'>,
): WafSettings | undefined {
  return config.waf.enabled ? settingsAnyway(config) : undefined
}

/** Also where it is not enabled: for a look from outside. */
export function settingsAnyway(config: Pick<Config, 'waf' | 'state_dir'>): WafSettings {
  const { waf } = config
  return {
    socket: wafSocket(config),
    rules: waf.rules,
    paranoia: waf.paranoia,
    threshold: waf.threshold,
    textBytes: waf.text_bytes,
    laterBytes: waf.later_bytes,
    bodyBytes: waf.body_bytes,
    memoryBytes: waf.memory_bytes,
    codeArguments: waf.code_arguments,
    exclusions: waf.exclusions,
  }
}
