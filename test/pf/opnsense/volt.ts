/**
 * Whether a page of Volt is whole: every tag ends, every block is closed by its own word, and so is
 * every element of HTML. What filters and functions do is not looked at.
 */

const BLOCKS: Readonly<Record<string, string>> = {
  if: 'endif',
  for: 'endfor',
  block: 'endblock',
  macro: 'endmacro',
}
/** Elements that have no end. */
const EMPTY = new Set(['input', 'img', 'br', 'hr', 'link', 'meta'])
const ENDS: Readonly<Record<string, string>> = { '{{': '}}', '{%': '%}', '{#': '#}' }

/** What is wrong, with its line; empty: nothing. */
export function voltProblems(text: string): string[] {
  const problems: string[] = []
  const open: { word: string; line: number }[] = []
  const lineOf = (at: number): number => text.slice(0, at).split('\n').length
  let at = 0
  let html = ''
  for (;;) {
    const begin = text.slice(at).search(/\{[{%#]/)
    if (begin < 0) break
    html += text.slice(at, at + begin)
    const start = at + begin
    const mark = text.slice(start, start + 2)
    const end = text.indexOf(ENDS[mark] ?? '', start + 2)
    if (end < 0) return [...problems, `${lineOf(start)}: ${mark} does not end`]
    const inside = text.slice(start + 2, end)
    const quotes = inside.replaceAll(/\\./g, '').match(/["']/g) ?? []
    if (mark !== '{#' && quotes.length % 2 === 1)
      problems.push(`${lineOf(start)}: a quote does not end`)
    if (mark !== '{#' && !isBalanced(inside))
      problems.push(`${lineOf(start)}: brackets do not match`)
    if (mark === '{%') {
      const word = /^-?\s*(\w+)/.exec(inside)?.[1] ?? ''
      if (word in BLOCKS) open.push({ word, line: lineOf(start) })
      else if (word.startsWith('end')) {
        const last = open.pop()
        if (last === undefined || BLOCKS[last.word] !== word)
          problems.push(`${lineOf(start)}: ${word} ends nothing`)
      }
    }
    html += mark === '{{' ? 'x' : ''
    at = end + 2
  }
  html += text.slice(at)
  for (const { word, line } of open) problems.push(`${line}: ${word} does not end`)
  if (/%\}|#\}/.test(html)) problems.push('a tag ends that was not begun')
  return [...problems, ...htmlProblems(html)]
}

/** What the page has between <script> and </script>, with every output of Volt an `x`. */
export function scriptsOf(text: string): string[] {
  const plain = text.replaceAll(/\{#[^]*?#\}/g, '').replaceAll(/\{\{[^]*?\}\}/g, 'x')
  return [...plain.matchAll(/<script>([^]*?)<\/script>/g)].map(
    ([, script = '']) => script,
  )
}

function htmlProblems(html: string): string[] {
  const markup = html.replaceAll(/<script>[^]*?<\/script>/g, '<script></script>')
  const open: string[] = []
  for (const [, close, name = '', alone] of markup.matchAll(
    /<(\/?)([a-z][a-z0-9]*)(?:\s[^<>]*?)?(\/?)>/g,
  )) {
    if (EMPTY.has(name) || alone === '/') continue
    if (close !== '/') open.push(name)
    else if (open.pop() !== name) return [`</${name}> ends nothing`]
  }
  return open.map((name) => `<${name}> does not end`)
}

function isBalanced(text: string): boolean {
  const plain = text.replaceAll(/"[^"]*"|'[^']*'/g, '')
  const open: string[] = []
  for (const [one] of plain.matchAll(/[([\])]/g)) {
    if (one === '(' || one === '[') open.push(one)
    else if (open.pop() !== (one === ')' ? '(' : '[')) return false
  }
  return open.length === 0
}
