/**
 * One process at a time changes the CA's folder. The lock is a file that appears whole (made
 * elsewhere, then linked, which fails when it exists). It names its holder, so that a holder
 * that was killed does not hold it for ever.
 */
import { randomBytes } from 'node:crypto'
import { link, readdir, readFile, rename, rm } from 'node:fs/promises'
import { unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { YoriError } from '../src/core/errors.js'

const LOCK = 'lock'
const RETRY_MS = 25

/**
 * Runs `action` while holding the lock. A lock whose process is gone is taken over at once;
 * one that stays the same for all of `waitMs` is, too: process ids are used again after a
 * restart of the machine, and no change to the CA takes that long.
 */
export async function withStoreLock<T>(
  directory: string,
  waitMs: number,
  action: () => Promise<T>,
): Promise<T> {
  const mine = `${process.pid} ${randomBytes(8).toString('hex')}`
  await acquire(directory, mine, waitMs)
  try {
    await sweep(directory)
    return await action()
  } finally {
    if ((await contentsOf(join(directory, LOCK))) === mine)
      await unlink(join(directory, LOCK))
  }
}

async function acquire(directory: string, mine: string, waitMs: number): Promise<void> {
  const lock = join(directory, LOCK)
  const draft = join(directory, `${LOCK}-${mine.replace(' ', '-')}`)
  await writeFile(draft, mine, { flag: 'wx', mode: 0o600 })
  try {
    let seen: string | undefined
    let since = performance.now()
    const giveUpAt = since + 4 * waitMs
    for (;;) {
      if (await linked(draft, lock)) return
      const holder = await contentsOf(lock)
      if (holder !== seen) {
        seen = holder
        since = performance.now()
      }
      if (holder !== undefined && (gone(holder) || performance.now() - since > waitMs)) {
        await takeAway(lock, holder, `${draft}-old`)
        continue
      }
      if (performance.now() > giveUpAt)
        throw new YoriError('YORI_CA_BUSY', `another process holds ${lock}`)
      await delay(RETRY_MS)
    }
  } finally {
    await unlink(draft)
  }
}

/** Removes the drafts of processes that were killed while they waited. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, pid] = /^lock-(\d+)-/.exec(name) ?? []
    if (pid !== undefined && gone(pid)) await rm(join(directory, name), { force: true })
  }
}

async function linked(draft: string, lock: string): Promise<boolean> {
  try {
    await link(draft, lock)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** Moves the lock away, and puts it back when meanwhile it is somebody else's. */
async function takeAway(lock: string, holder: string, aside: string): Promise<void> {
  try {
    await rename(lock, aside)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw cause
  }
  if ((await contentsOf(aside)) !== holder) await linked(aside, lock)
  await unlink(aside)
}

async function contentsOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

function gone(holder: string): boolean {
  const pid = Number(holder.split(' ')[0])
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
