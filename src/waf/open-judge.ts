/** From settings to a judge: the engine, the rule set, and what is said before and after it. */
import { after, before } from './directives.js'
import { Judge } from './judge.js'
import type { Engine } from './libmodsecurity.js'
import { findRuleSet, rulesOf } from './rule-set.js'
import type { WafSettings } from './settings.js'

/** @throws NoRuleSet, RulesRefused */
export function openJudge(engine: Engine, settings: WafSettings, nowMs: number): Judge {
  const set = findRuleSet(settings.rules)
  const about = rulesOf(set)
  const rules = engine.load([
    { text: before(set, settings, nowMs) },
    ...set.files.map((file) => ({ file })),
    { text: after(set) },
  ])
  return new Judge(rules, set, about, settings)
}
