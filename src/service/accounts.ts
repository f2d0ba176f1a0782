/** Users of this system, by the name that a service runs under. */
import { spawnSync } from 'node:child_process'

const ASK_MS = 60_000

export interface Account {
  readonly uid: number
  readonly gid: number
  /** The name of its first group. */
  readonly group: string
}

/** Undefined: there is no such user. */
export function accountOf(name: string): Account | undefined {
  const [uid, gid, group] = ['-u', '-g', '-gn'].map((which) => {
    const { status, stdout } = spawnSync('id', [which, name], {
      encoding: 'utf8',
      timeout: ASK_MS,
    })
    return status === 0 ? stdout.trim() : ''
  })
  if (!uid || !gid || !group) return undefined
  return { uid: Number(uid), gid: Number(gid), group }
}
