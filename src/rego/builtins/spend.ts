/** What work on text costs of the step budget. */
import type { BuiltinContext } from '../builtin.js'

/** UTF-16 units of text that one step of the budget pays for. */
const unitsPerStep = 64

export function spendText(context: BuiltinContext, length: number): void {
  context.step(Math.ceil(length / unitsPerStep))
}
