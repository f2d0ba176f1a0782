/** Go's templates taken apart: text and actions, and the words of an action. */
import { refuse } from './define.js'

export type Piece = { readonly kind: 'text' | 'action'; readonly text: string }

/** Text and actions in turn, white space trimmed where `{{-` and `-}}` ask for it. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let at = 0
  let trimNext = false
  while (at <= text.length) {
    const open = text.indexOf('{{', at)
    const end = open < 0 ? text.length : open
    let plain = text.slice(at, end)
    if (trimNext) plain = plain.trimStart()
    const trims = open >= 0 && /^\{\{-\s/.test(text.slice(open, open + 4))
    if (trims) plain = plain.trimEnd()
    if (plain !== '') found.push({ kind: 'text', text: plain })
    if (open < 0) return found
    const close = closeOf(text, open + 2)
    let action = text.slice(open + 2 + (trims ? 1 : 0), close)
    trimNext = /\s-$/.test(action.slice(-2))
    if (trimNext) action = action.slice(0, -1)
    found.push({ kind: 'action', text: action.trim() })
    at = close + 2
  }
  return found
}

/** The `}}` behind an action: not one within a string or a comment. */
function closeOf(text: string, from: number): number {
  const comment = /^-?\s*\/\*/.test(text.slice(from, from + 8))
  let at = comment ? text.indexOf('*/', from) + 2 : from
  if (comment && at < 2) refuse('template: template:1: unclosed comment')
  for (; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '}' && text[at + 1] === '}') return at
    if (char === '"' || char === '`' || char === "'") at = stringEnd(text, at) - 1
  }
  return refuse('template: template:1: unclosed action')
}

function stringEnd(text: string, start: number): number {
  const mark = text.charAt(start)
  for (let at = start + 1; at < text.length; at++) {
    if (mark !== '`' && text[at] === '\\') at++
    else if (text[at] === mark) return at + 1
    else if (mark !== '`' && text[at] === '\n') break
  }
  return refuse('template: template:1: unterminated quoted string')
}

const token =
  /\s+|:=|[|(),=]|\$[A-Za-z0-9_]*|\.[A-Za-z_][A-Za-z0-9_]*|\.|[+-]?[0-9][0-9.eE_xX+-]*|[A-Za-z_][A-Za-z0-9_]*/y

/** The words of one action. Strings keep their quotes; white space stays as one blank. */
export function words(action: string): string[] {
  const found: string[] = []
  let at = 0
  while (at < action.length) {
    const char = action.charAt(at)
    if (char === '"' || char === '`' || char === "'") {
      const end = stringEnd(action, at)
      found.push(action.slice(at, end))
      at = end
      continue
    }
    token.lastIndex = at
    const word = token.exec(action)?.[0]
    if (word === undefined)
      refuse(`template: template:1: unexpected ${JSON.stringify(char)} in command`)
    found.push(word.trim() === '' ? ' ' : word)
    at += word.length
  }
  return found
}
