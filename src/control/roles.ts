/** Who may do what: three roles, each with all that the one before it may. Pure. */

/** `view` looks, `household` also pauses, approves and names, `admin` also changes settings. */
export const ROLES = ['view', 'household', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** By which way somebody was let in. */
export type Entrance = 'socket' | 'token' | 'link' | 'password' | 'pin'

/** Who asks. */
export interface Caller {
  /** A person's name, or the entrance where there is none. */
  readonly who: string
  readonly role: Role
  readonly entrance: Entrance
  /** The address; undefined on the Unix socket. */
  readonly ip?: string
  /** What a change by cookie has to carry as well. */
  readonly csrf?: string
}

/** The lesser of the two. */
export function atMost(role: Role, most: Role): Role {
  return mayAct(role, most) ? most : role
}

/** What a PIN is good for at most: it can be guessed sooner than a password. */
export const PIN_ROLE: Role = 'household'

export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed)
}
