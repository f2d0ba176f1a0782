/**
 * Which of some tool calls cannot be undone: by the values of their arguments, each looked at as
 * a command, and lists of words as one. What a file is written with is not run by that. Pure.
 */
import { destructiveIn } from '../detect/destructive.js'
import type { Destructive } from '../detect/destructive.js'
import type { McpArgument, McpCall } from './mcp-calls.js'

/** Characters that are looked at of one call; what is over tells that there was more. */
export const MAX_LOOKED_CHARS = 32 * 1024
const MAX_FOUND = 16

/** By these a call names a file, and by those it says what is to stand in it. */
const FILES: ReadonlySet<string> = new Set(
  'path file file_path filepath filename uri target_file notebook_path'.split(' '),
)
const CONTENTS: ReadonlySet<string> = new Set(
  'content contents text new_string old_string new_str old_str file_text insert_text code_edit patch diff new_source'.split(
    ' ',
  ),
)

/** What of one call cannot be undone; 16 commands at most. `isCut`: not all of it was looked at. */
export function destructiveCall({ arguments: given }: Pick<McpCall, 'arguments'>): {
  readonly found: readonly Destructive[]
  readonly isCut: boolean
} {
  const found: Destructive[] = []
  const isFile = given.some(({ path }) => FILES.has(lastOf(path)))
  let left = MAX_LOOKED_CHARS
  for (const text of textsOf(given, isFile)) {
    if (found.length >= MAX_FOUND) break
    if (text.length > left) return { found, isCut: true }
    left -= text.length
    for (const one of destructiveIn(text))
      if (!found.some(({ kind, shown }) => kind === one.kind && shown === one.shown))
        found.push(one)
  }
  return { found: found.slice(0, MAX_FOUND), isCut: false }
}

/** Each value; of a list also all of them, as the words of one command. */
function* textsOf(given: readonly McpArgument[], isFile: boolean): Iterable<string> {
  const lists = new Map<string, string[]>()
  for (const { path, value } of given) {
    if (isFile && CONTENTS.has(lastOf(path))) continue
    yield value
    const list = lists.get(path)
    if (list === undefined) lists.set(path, [value])
    else list.push(value)
  }
  for (const words of lists.values())
    if (words.length > 1) yield words.map(quoted).join(' ')
}

function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", '')}'`
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}
