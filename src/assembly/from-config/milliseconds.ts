/** The configuration counts in seconds, everything else in milliseconds: they meet here. */
export function milliseconds(seconds: number): number {
  return seconds * 1000
}
