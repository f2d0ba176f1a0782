/** What goes to a target of a door: where to, and which fields. */
import type { Target } from '../../net/dial.js'
import type { DoorTarget } from '../../policy/door.js'

export function dialled({ host, port, plain, isWritten, identity }: DoorTarget): Target {
  return {
    host,
    port,
    ...(plain ? { plain } : {}),
    ...(isWritten ? { isWritten } : {}),
    ...(identity === undefined ? {} : { identity }),
  }
}

/** `set` takes the place of the fields of the same names; both flat. */
export function replaced(fields: readonly string[], set: readonly string[]): string[] {
  if (set.length === 0) return [...fields]
  const names = new Set(set.filter((_, i) => i % 2 === 0).map((one) => one.toLowerCase()))
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    if (!names.has(name.toLowerCase())) kept.push(name, fields[i + 1] as string)
  }
  return [...kept, ...set]
}
