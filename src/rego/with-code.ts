/** What `with` changes: each change makes a new context from the one before. */
import { upsert, upsertData } from './context.js'
import { unreachable } from './errors.js'
import { readOperand } from './operand-code.js'
import type { Context, Frame, Mock } from './context.js'
import type { Read } from './operand-code.js'
import type { Change } from './plan.js'
import type { Rules } from './run.js'

/** `outer` is the context that the change leaves, `from` what earlier changes made of it. */
export type ApplyChange = (frame: Frame, outer: Context, from: Context) => Context

export function changeCode(change: Change, program: Rules): ApplyChange {
  switch (change.kind) {
    case 'input': {
      const read = readOperand(change.value)
      const { path } = change
      return (frame, outer, from) => {
        return from.changed({ input: upsert(from.input, path, read(frame)) }, outer)
      }
    }
    case 'data': {
      const read = readOperand(change.value)
      const { path } = change
      const hidden = program.nodesUnder(path)
      return (frame, outer, from) => {
        const replaced = new Set(from.replaced)
        const data = upsertData(from.data, path, read(frame), replaced)
        const masked =
          hidden.length === 0 ? from.masked : new Set([...(from.masked ?? []), ...hidden])
        return from.changed({ data, masked, replaced }, outer)
      }
    }
    case 'function': {
      const { name, by } = change
      const read = by.kind === 'value' ? readOperand(by.value) : undefined
      const callee = by.kind === 'callee' ? by.callee : undefined
      return (frame, outer, from) => {
        const mock: Mock =
          callee === undefined
            ? { kind: 'value', value: (read as Read)(frame) }
            : { kind: 'callee', callee }
        return from.changed({ mocks: new Map(from.mocks).set(name, mock) }, outer)
      }
    }
    default:
      return unreachable(change)
  }
}
