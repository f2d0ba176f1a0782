/**
 * A shell's text, taken apart as far as is needed to tell which programs it runs: simple
 * commands with their words, quotes undone, what stands in `$(...)` and in backquotes as commands
 * of its own. No expansion. One pass, bounded; never throws. Pure.
 */

/** Of one text, in UTF-16 units; the rest is not looked at. */
export const MAX_SHELL_CHARS = 8 * 1024
const MAX_COMMANDS = 400
const MAX_WORDS = 200
/** Characters of all that stands in others. */
const MAX_NESTED_CHARS = MAX_SHELL_CHARS

export interface ShellCommand {
  /** Quotes undone. */
  readonly words: readonly string[]
  /** What it writes comes from the one before it. */
  readonly isPiped: boolean
  /** Files that its output goes to. */
  readonly writes: readonly string[]
}

interface Open {
  words: string[]
  writes: string[]
  isPiped: boolean
}

/** Commands in the order in which they stand; nested ones after those around them. */
export function shellCommands(text: string): readonly ShellCommand[] {
  const done: ShellCommand[] = []
  const nested: string[] = [text.slice(0, MAX_SHELL_CHARS)]
  let taken = 0
  const nest = (inner: string): void => {
    taken += inner.length + 1
    if (taken <= MAX_NESTED_CHARS) nested.push(inner)
  }
  for (let next = nested.shift(); next !== undefined; next = nested.shift()) {
    new Parser(next, done, nest).parse()
  }
  return done
}

class Parser {
  readonly #text: string
  readonly #done: ShellCommand[]
  readonly #nest: (inner: string) => void
  #at = 0
  #open: Open = { words: [], writes: [], isPiped: false }
  #word: string | undefined
  #isTarget = false

  constructor(text: string, done: ShellCommand[], nest: (inner: string) => void) {
    this.#text = text
    this.#done = done
    this.#nest = nest
  }

  parse(): void {
    const text = this.#text
    while (this.#at < text.length) {
      const char = text[this.#at] as string
      this.#at++
      switch (char) {
        case ' ':
        case '\t':
        case '\r':
          this.#endWord()
          break
        case '#':
          if (this.#word === undefined) this.#skipComment()
          else this.#add(char)
          break
        case '\\':
          if (text[this.#at] !== '\n') this.#add(text[this.#at] ?? '')
          this.#at++
          break
        case "'":
          this.#quoted()
          break
        case '"':
          this.#doubleQuoted()
          break
        case '`':
          this.#backquoted()
          break
        case '$':
          if (text[this.#at] === '(') this.#substituted()
          else this.#add(char)
          break
        case '<':
          if (text[this.#at] === '(') this.#substituted('<(')
          else this.#endWord()
          break
        case '>':
          this.#redirected()
          break
        case '|':
          if (text[this.#at] === '|') {
            this.#at++
            this.#endCommand(false)
          } else {
            if (text[this.#at] === '&') this.#at++
            this.#endCommand(true)
          }
          break
        case ';':
        case '&':
        case '\n':
        case '(':
        case ')':
        case '{':
        case '}':
          if ((char === '{' || char === '}') && this.#word !== undefined) this.#add(char)
          else this.#endCommand(false)
          break
        default:
          this.#add(char)
      }
    }
    this.#endCommand(false)
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text
  }

  #endWord(): void {
    if (this.#word === undefined) return
    if (this.#isTarget) this.#open.writes.push(this.#word)
    else if (this.#open.words.length < MAX_WORDS) this.#open.words.push(this.#word)
    this.#isTarget = false
    this.#word = undefined
  }

  #endCommand(isPiped: boolean): void {
    this.#endWord()
    const { words, writes } = this.#open
    if (words.length + writes.length > 0 && this.#done.length < MAX_COMMANDS)
      this.#done.push({ ...this.#open })
    this.#open = { words: [], writes: [], isPiped }
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end < 0 ? this.#text.length : end
  }

  #quoted(): void {
    const end = this.#text.indexOf("'", this.#at)
    const until = end < 0 ? this.#text.length : end
    this.#add(this.#text.slice(this.#at, until))
    this.#at = until + 1
  }

  #doubleQuoted(): void {
    this.#add('')
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at++] as string
      if (char === '"') return
      if (char === '\\') this.#add(this.#text[this.#at++] ?? '')
      else if (char === '`') this.#backquoted()
      else if (char === '$' && this.#text[this.#at] === '(') this.#substituted()
      else this.#add(char)
    }
  }

  #backquoted(): void {
    const end = this.#text.indexOf('`', this.#at)
    const until = end < 0 ? this.#text.length : end
    this.#nest(this.#text.slice(this.#at, until))
    this.#add('$()')
    this.#at = until + 1
  }

  /** From behind the `$` or `<`; what is within is a text of its own, and the word says so. */
  #substituted(as = '$('): void {
    let depth = 0
    const from = this.#at + 1
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at++]
      if (char === '(') depth++
      else if (char === ')' && --depth === 0) break
    }
    const inner = this.#text.slice(from, depth === 0 ? this.#at - 1 : this.#at)
    this.#nest(inner)
    this.#add(`${as}${inner})`)
  }

  #redirected(): void {
    // A number before it says which output, and is no word.
    if (this.#word !== undefined && /^\d$/.test(this.#word)) this.#word = undefined
    this.#endWord()
    while (this.#text[this.#at] === '>' || this.#text[this.#at] === '|') this.#at++
    if (this.#text[this.#at] === '&') this.#at++
    this.#isTarget = true
  }
}

/** Of a program, without its folder. */
export function nameOf(word: string): string {
  return (word.split('/').at(-1) ?? '').replace(/\.exe$/i, '')
}
