/**
 * Which system a browser runs on, as far as its User-Agent tells: enough to put the right steps
 * first. A guess, never a reason to allow or refuse anything. Pure.
 */

export type DeviceKind =
  'ios' | 'android' | 'chromeos' | 'macos' | 'windows' | 'firefox' | 'linux' | 'program'

/** Beyond this a User-Agent says nothing more. */
const LOOKED_AT_CHARS = 512

/** In this order: Android names Linux too, iOS names Mac OS X, ChromeOS names X11. */
const MARKS: readonly (readonly [mark: string, kind: DeviceKind])[] = [
  ['iphone', 'ios'],
  ['ipad', 'ios'],
  ['ipod', 'ios'],
  ['android', 'android'],
  ['cros', 'chromeos'],
  ['windows nt', 'windows'],
  ['macintosh', 'macos'],
  ['linux', 'linux'],
  ['freebsd', 'linux'],
]

export interface DeviceGuess {
  readonly kind: DeviceKind
  /** Firefox keeps its own list of roots on some systems. */
  readonly firefox: boolean
}

export function deviceKindOf(userAgent: string | undefined): DeviceGuess {
  const text = (userAgent ?? '').slice(0, LOOKED_AT_CHARS).toLowerCase()
  const firefox = text.includes('firefox/')
  const found = MARKS.find(([mark]) => text.includes(mark))
  // Every browser calls itself Mozilla; curl, wget and libraries do not.
  if (found === undefined || !text.startsWith('mozilla/'))
    return { kind: 'program', firefox }
  const [, kind] = found
  return { kind: firefox && kind === 'linux' ? 'firefox' : kind, firefox }
}
