/** What `with` changes: each change makes a new context from the one before. */
import { Context, upsert, upsertData } from './context.js'
import { unreachable } from './errors.js'
import { readOperand } from './operand-code.js'
import type { Frame, Mock } from './context.js'
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
        const input = upsert(from.input, path, read(frame))
        const { data, mocks, masked } = from
        return new Context(from.query, { input, data, mocks, masked }, outer)
      }
    }
    case 'data': {
      const read = readOperand(change.value)
      const { path } = change
      const hidden = program.nodesUnder(path)
      return (frame, outer, from) => {
        const { input, mocks } = from
        const data = upsertData(from.data, path, read(frame))
        const masked =
          hidden.length === 0 ? from.masked : new Set([...(from.masked ?? []), ...hidden])
        return new Context(from.query, { input, data, mocks, masked }, outer)
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
        const { input, data, masked } = from
        const mocks = new Map(from.mocks).set(name, mock)
        return new Context(from.query, { input, data, mocks, masked }, outer)
      }
    }
    default:
      return unreachable(change)
  }
}
