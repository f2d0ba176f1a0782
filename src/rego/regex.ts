/** Regular expressions that run in time linear in their input (RE2 syntax). */
export interface RegexEngine {
  /** Throws Error with the engine's reason when `pattern` is no RE2 expression. */
  compile(pattern: string): Regex
}

/** One compiled expression. Offsets are UTF-16 indices into the text given. */
export interface Regex {
  test(text: string): boolean
}
