/**
 * Keys of ours as they are made, changed for another, and taken back: each function makes one
 * change in the database, and gives the key itself where there is a new one. It is kept nowhere.
 */
import { newKey } from '../policy/access-keys.js'
import type { AccessKey } from '../policy/access-keys.js'
import { Declined } from './people.js'
import type { Author } from './people.js'
import type { Kept, PolicyDatabase } from './policy-database.js'

export type KeyWish = Omit<AccessKey, 'digest'>

export interface MadeKey {
  /** Shown once. */
  readonly key: string
  readonly made: AccessKey
}

const MAX_NAME = 64

/** What `--for`, a person, a group and a tag are called. */
export function isKeyWord(text: string): boolean {
  return text.length <= MAX_NAME && /^[\p{L}\p{N}][\p{L}\p{N} ._:@/+=-]*$/u.test(text)
}

/** @throws Declined when there is one of that name; YORI_STATE_UNUSABLE when there are too many */
export function createKey(
  database: PolicyDatabase,
  wish: KeyWish,
  author: Author,
): MadeKey {
  return database.locked(() => {
    if (keyIn(database, wish.name) !== undefined)
      throw new Declined(
        'taken',
        `there is a key for ${wish.name}: rotate it, or revoke it first`,
      )
    return put(database, wish, author)
  })
}

/** Another key with the same limits; the one before is good for nothing from then on. */
export function rotateKey(
  database: PolicyDatabase,
  name: string,
  author: Author,
): MadeKey {
  return database.locked(() => {
    const { digest: _old, ...wish } = found(database, name).value
    return put(database, wish, author)
  })
}

/** Good for nothing from then on. @throws Declined */
export function revokeKey(database: PolicyDatabase, name: string): AccessKey {
  return database.locked(() => {
    const { key, value } = found(database, name)
    database.remove('key', key)
    return value
  })
}

function put(database: PolicyDatabase, wish: KeyWish, { by, nowMs }: Author): MadeKey {
  const { key, digest } = newKey()
  const made: AccessKey = { ...wish, digest }
  database.put('key', { key: wish.name, value: made, addedAt: nowMs, addedBy: by })
  return { key, made }
}

function found(database: PolicyDatabase, name: string): Kept<AccessKey> {
  const kept = keyIn(database, name)
  if (kept === undefined) throw new Declined('unknown', `there is no key for ${name}`)
  return kept
}

function keyIn(database: PolicyDatabase, name: string): Kept<AccessKey> | undefined {
  return database.list('key').find(({ key }) => key === name)
}
