/**
 * The variables that give a program's SDK another base URL (`yori exec --base-url`): for those
 * that know neither proxies nor other roots. Names as the SDKs document them. Pure.
 */

/** Behind our own host: what the SDK puts before its paths itself, or leaves to the variable. */
const BASES: readonly (readonly [name: string, path: string])[] = [
  // The openai packages of Node and Python; the second name until its 1.0, and LangChain's.
  ['OPENAI_BASE_URL', '/v1'],
  ['OPENAI_API_BASE', '/v1'],
  ['ANTHROPIC_BASE_URL', ''],
  // @google/genai and gemini-cli.
  ['GOOGLE_GEMINI_BASE_URL', ''],
]

export interface BaseUrls {
  readonly set: readonly (readonly [name: string, value: string])[]
  /** Names that have a value already: theirs stays. */
  readonly kept: readonly string[]
}

/** `at`: `http://host:port`. */
export function baseUrls(
  at: string,
  present: Readonly<Record<string, string | undefined>>,
): BaseUrls {
  const isFree = (name: string): boolean => (present[name] ?? '') === ''
  return {
    set: BASES.filter(([name]) => isFree(name)).map(([name, path]) => [name, at + path]),
    kept: BASES.map(([name]) => name).filter((name) => !isFree(name)),
  }
}
