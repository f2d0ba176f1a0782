/**
 * A person's own words in a message: programs put blocks of their own before and after them
 * (`<system-reminder>`, `<session_context>`, `<environment_details>`), the same ones each time,
 * or wrap the words themselves (`<user_query>`, `<task>`). Told by how tags are named and where
 * they stand; what a person wrote between tags of another kind is left. Pure, linear.
 */

/** Blocks of these names hold the words. */
const WRAPPERS: ReadonlySet<string> = new Set([
  ...[
    'task',
    'query',
    'question',
    'feedback',
    'user_query',
    'user_request',
    'user_input',
  ],
  ...['user_message', 'user-message', 'userrequest', 'usermessage', 'userquery'],
])
/** Names without `_` or `-` that programs use all the same. */
const PLAIN: ReadonlySet<string> = new Set([
  ...['context', 'instructions', 'attachments', 'reminder', 'reminderinstructions'],
  ...['editorcontext', 'env', 'environment', 'environmentinfo', 'workspaceinfo', 'rules'],
])
const MAX_TAG_CHARS = 256
/** A message of more blocks is no preamble. */
const MAX_BLOCKS = 256
/** Each costs a look at all that follows: after so many that are never closed, it is no program. */
const MAX_UNCLOSED = 16

interface Block {
  readonly name: string
  readonly from: number
  readonly inner: string
  readonly to: number
}

/**
 * Without the blocks of a program; empty when there was nothing else. A message of more
 * than 256 blocks, or with 17 names of tags that are never closed, is left as it is from
 * there on.
 */
export function ownWords(text: string): string {
  let kept = ''
  let wrapped = ''
  let at = 0
  const unclosed = new Set<string>()
  for (let count = 0; count < MAX_BLOCKS; count++) {
    const block = nextBlock(text, at, unclosed)
    if (block === undefined) break
    kept += text.slice(at, block.from)
    if (WRAPPERS.has(block.name)) wrapped = block.inner
    at = block.to
  }
  kept = (kept + text.slice(at)).trim()
  return kept === '' ? wrapped.trim() : kept
}

/** The next block of a program that begins a line and is closed. */
function nextBlock(
  text: string,
  start: number,
  unclosed: Set<string>,
): Block | undefined {
  for (
    let from = text.indexOf('<', start);
    from >= 0;
    from = text.indexOf('<', from + 1)
  ) {
    if (!beginsLine(text, from)) continue
    const tag = /^<([A-Za-z][\w.-]*)(?:\s[^<>]*)?>/.exec(
      text.slice(from, from + MAX_TAG_CHARS),
    )
    const [opening = '', written = ''] = tag ?? []
    const name = written.toLowerCase()
    if (tag === null || !isProgramName(name) || unclosed.has(written)) continue
    const end = text.indexOf(`</${written}>`, from + opening.length)
    if (end < 0) {
      unclosed.add(written)
      if (unclosed.size > MAX_UNCLOSED) return undefined
      continue
    }
    const inner = text.slice(from + opening.length, end)
    return { name, from, inner, to: end + written.length + 3 }
  }
  return undefined
}

function beginsLine(text: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && (text[before] === ' ' || text[before] === '\t')) before--
  return before < 0 || text[before] === '\n' || text[before] === '>'
}

function isProgramName(name: string): boolean {
  return /[_-]/.test(name) || WRAPPERS.has(name) || PLAIN.has(name)
}
