/** What a policy says while it runs, and what it may know of where it runs: nothing. */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { regoToString } from '../text.js'
import { t } from '../type-spec.js'
import { RegoObject } from '../value.js'
import type { Value } from '../value.js'
import { arrayAt, define, membersOf, stringAt } from './define.js'
import { spendText } from './spend.js'

function shown(value: Value): string {
  return typeof value === 'string' ? value : regoToString(value)
}

function print(values: readonly string[], context: BuiltinContext): Value {
  const message = values.join(' ')
  spendText(context, message.length)
  context.print(message)
  return true
}

/** Each operand in a set, which is empty when the operand is undefined; all combinations. */
function printSets(args: readonly Value[], context: BuiltinContext): Value {
  let lines: string[][] = [[]]
  for (const operand of arrayAt(args, 0)) {
    const members = membersOf(operand)?.map(shown) ?? [shown(operand)]
    const choices = members.length === 0 ? ['<undefined>'] : members
    context.step(lines.length * choices.length)
    lines = lines.flatMap((line) => choices.map((choice) => [...line, choice]))
  }
  for (const line of lines) print(line, context)
  return true
}

export const tracing: readonly Builtin[] = [
  {
    ...define('print', [], t.boolean, (args, context) => print(args.map(shown), context)),
    arity: -1,
  },
  define('internal.print', [t.array(t.set())], t.boolean, printSets),
  define('trace', [t.string], t.boolean, (args, context) => {
    context.trace(stringAt(args, 0))
    return true
  }),
  {
    ...define('opa.runtime', [], t.object(t.string), () => RegoObject.empty),
    nondeterministic: true,
  },
]
