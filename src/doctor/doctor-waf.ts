/** Check of the firewall: its engine, its rules, and whether it runs. */
import { Engine } from '../waf/libmodsecurity.js'
import { findRuleSet } from '../waf/rule-set.js'
import { readState } from '../waf/state-file.js'
import { bad, good, notice } from './doctor-check.js'
import type { Check, Finding } from './doctor-check.js'

const ENGINE_PACKAGE = {
  freebsd: 'pkg install modsecurity3',
  other: 'apt-get install libmodsecurity3',
}
const RULES_PACKAGE = {
  freebsd: 'set waf.rules to a folder of the OWASP Core Rule Set',
  other: 'apt-get install modsecurity-crs, or set waf.rules',
}

export const wafCheck: Check = {
  name: 'firewall',
  look({ config, machine }): readonly Finding[] {
    const { waf, state_dir: stateDir } = config
    if (!waf.enabled) return [good('off (waf.enabled)')]
    const on = machine.platform === 'freebsd' ? 'freebsd' : 'other'
    const findings: Finding[] = []
    try {
      findings.push(good(Engine.open().version))
    } catch (cause) {
      findings.push(bad((cause as Error).message, ENGINE_PACKAGE[on]))
    }
    try {
      const { version, folder } = findRuleSet(waf.rules)
      findings.push(good(`CRS ${version} in ${folder}`))
    } catch (cause) {
      findings.push(bad((cause as Error).message, RULES_PACKAGE[on]))
    }
    const stood = readState(stateDir)
    if (stood === undefined)
      findings.push(notice('no YORI runs it here', 'start YORI, or send it SIGHUP'))
    else if (stood.state === 'running') findings.push(good('it looks at requests'))
    else findings.push(bad(stood.why ?? `it is ${stood.state}`, 'yori waf status'))
    return findings
  },
}
