/** One thing to fuzz: a file beside this one, and one line in `targets.ts`. */
export interface FuzzTarget {
  readonly name: string
  readonly about: string
  /** Valid inputs to start from; at least one. */
  seeds(): readonly Buffer[]
  /** Throws when something that must hold does not. `random` is 0 <= x < 1. */
  check(input: Buffer, random: () => number): void
  /** What takes time for inputs that were checked: called now and then, and at the end. */
  settle?(): Promise<Broken | undefined>
}

export interface Broken {
  readonly input: Buffer
  readonly why: string
}
