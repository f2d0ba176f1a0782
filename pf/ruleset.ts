/**
 * An nftables ruleset as `nft -s list ruleset` prints it, read into tables, chains and sets.
 * Rules stay words: what they mean is `let-in.ts`'s to know. Pure; bounded, never throws.
 */
export interface Table {
  /** `ip`, `ip6`, `inet`, and others that hold nothing for us. */
  readonly family: string
  readonly name: string
  readonly chains: ReadonlyMap<string, Chain>
  /** Elements as they are printed, `key : value` for maps. */
  readonly sets: ReadonlyMap<string, readonly string[]>
}

export interface Chain {
  readonly name: string
  readonly base?: {
    readonly type: string
    readonly hook: string
    readonly priority: number
    readonly policy: 'accept' | 'drop'
  }
  readonly rules: readonly (readonly string[])[]
}

/** More words than that are no household's. */
const MAX_WORDS = 1_000_000
const WORD = /"[^"]*"|[{};\n]|[^\s{};"]+/g

/** Names that nft prints for priorities, in the families that are read here. */
const PRIORITIES: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
}

export function readRuleset(text: string): Table[] {
  const words = (text.replace(/^\s*#.*$/gm, '').match(WORD) ?? []).slice(0, MAX_WORDS)
  const tables: Table[] = []
  let at = 0
  while (at < words.length) {
    const [kind, family = '', name = ''] = words.slice(at, at + 3)
    if (kind === 'table' && words[at + 3] === '{') {
      const end = closing(words, at + 3)
      tables.push({ family, name, ...content(words.slice(at + 4, end)) })
      at = end
    }
    at++
  }
  return tables
}

function content(words: readonly string[]): Pick<Table, 'chains' | 'sets'> {
  const chains = new Map<string, Chain>()
  const sets = new Map<string, string[]>()
  for (let at = 0; at < words.length; at++) {
    const [kind = '', name = '', opens] = words.slice(at, at + 3)
    if (opens !== '{') continue
    const end = closing(words, at + 2)
    const inside = words.slice(at + 3, end)
    if (kind === 'chain') chains.set(name, chain(name, inside))
    else if (kind === 'set' || kind === 'map') sets.set(name, elements(inside))
    else continue
    at = end
  }
  return { chains, sets }
}

function chain(name: string, words: readonly string[]): Chain {
  const statements: string[][] = []
  let statement: string[] = []
  let depth = 0
  for (const word of [...words, '\n']) {
    if (word === '{') depth++
    if (word === '}') depth--
    if (depth > 0 ? word === '\n' : word === '\n' || word === ';') {
      if (depth > 0) continue
      if (statement.length > 0) statements.push(statement)
      statement = []
    } else statement.push(word)
  }
  const [first] = statements
  if (first?.[0] !== 'type') return { name, rules: statements }
  const policy = statements[1]?.[0] === 'policy' ? statements[1][1] : undefined
  return {
    name,
    base: {
      type: first[1] ?? '',
      hook: first[first.indexOf('hook') + 1] ?? '',
      priority: priority(first.slice(first.indexOf('priority') + 1)),
      policy: policy === 'drop' ? 'drop' : 'accept',
    },
    rules: statements.slice(policy === undefined ? 1 : 2),
  }
}

/** `filter`, `filter - 10`, `-150`. */
function priority(words: readonly string[]): number {
  const [word = '', sign, more] = words
  const base = PRIORITIES[word] ?? Number(word)
  const by = Number(more ?? 0)
  const value = sign === '-' ? base - by : base + by
  return Number.isFinite(value) ? value : 0
}

function elements(words: readonly string[]): string[] {
  const start = words.indexOf('elements')
  if (start < 0 || words[start + 2] !== '{') return []
  return listed(words.slice(start + 3, closing(words, start + 2)))
}

/** What stands between braces, apart at its commas. */
export function listed(words: readonly string[]): string[] {
  return words
    .filter((word) => word !== '\n')
    .join(' ')
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '')
}

/** Where the brace at `open` is closed; the end when it is not. */
export function closing(words: readonly string[], open: number): number {
  let depth = 0
  for (let at = open; at < words.length; at++) {
    if (words[at] === '{') depth++
    if (words[at] === '}' && --depth === 0) return at
  }
  return words.length
}
