/** Placeholder until its rules stand. */
import type { Finding } from './rule.js'
export type SaidBy = 'person' | 'tool'
export class InjectionScan {
  find(_text: string, _said: SaidBy = 'person'): Finding[] {
    return []
  }
}
