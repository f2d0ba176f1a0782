/** What work on text costs of the step budget. */
import type { BuiltinContext } from '../builtin.js'
import type { Regex } from '../regex.js'

/** UTF-16 units of text that one step of the budget pays for. */
const unitsPerStep = 64

export function spendText(context: BuiltinContext, length: number): void {
  context.step(Math.ceil(length / unitsPerStep))
}

/** Characters matched for one step by a program of up to `smallProgram` instructions. */
const matchedPerStep = 8
const smallProgram = 64

/** A program of twice the size takes up to twice the time for each character. */
export function spendMatch(context: BuiltinContext, regex: Regex, text: string): void {
  const weight = Math.max(1, regex.size / smallProgram)
  context.step(Math.ceil((text.length * weight) / matchedPerStep))
}
