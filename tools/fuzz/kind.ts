/** What can be fuzzed: one file beside this one, and one line in `main.ts`. */
export interface FuzzKind {
  /** The first argument of the command. */
  readonly name: string
  readonly about: string
  /** Texts to start from; `cases` is the folder of recorded cases when there is one. */
  seeds(cases: string | undefined): readonly string[]
  /** Tries one text; returns what is wrong with how it was taken, undefined when nothing is. */
  attempt(text: string): string | undefined
}

/** Deterministic numbers in `[0, 1)` (mulberry32), so that a run can be repeated. */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Changes a text here and there: pieces of others, doubled pieces, odd words, lost ones. */
export function mutate(
  text: string,
  others: readonly string[],
  random: () => number,
): string {
  let pieces: string[] = piecesOf(text)
  const changes = 1 + Math.floor(random() * 4)
  for (let i = 0; i < changes; i++) {
    const at = Math.floor(random() * (pieces.length + 1))
    const length = 1 + Math.floor(random() * 6)
    const other = piecesOf(others[Math.floor(random() * others.length)] ?? '')
    const from = Math.floor(random() * other.length)
    const kept = pieces.slice(0, at)
    const rest = pieces.slice(at)
    switch (Math.floor(random() * 6)) {
      case 0:
        pieces = [...kept, ...rest.slice(length)]
        break
      case 1:
        pieces = [...kept, ...rest.slice(0, length), ...rest]
        break
      case 2:
        pieces = [...kept, ...other.slice(from, from + length * 3), ...rest]
        break
      case 3:
        pieces = [...kept, oddWord(random), ...rest.slice(1)]
        break
      case 4:
        pieces = [...kept, oddWord(random), ...rest]
        break
      default:
        pieces = [...rest.slice(0, length), ...kept, ...rest.slice(length)]
    }
    if (pieces.length > 3000) pieces = pieces.slice(0, 3000)
  }
  return pieces.join('')
}

function piecesOf(text: string): string[] {
  return text.match(/\w+|\s+|[^\w\s]/g) ?? []
}

const ODD = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    '"__proto__"',
    '""',
    '\u0000',
    '\ud800',
    '🙂',
  ],
  ...[
    '-0',
    '1e999',
    '1e-999',
    '9007199254740993',
    '1e308',
    '0.1',
    '999999999999999999999',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    '|',
    ':=',
    '=',
    'not ',
    ' with ',
    ' as ',
    '_',
    ';',
    '\n',
  ],
]

function oddWord(random: () => number): string {
  return ODD[Math.floor(random() * ODD.length)] as string
}
