/** Changes a program's text word by word, so that more of it still parses than by bytes. */

/** Changes a text here and there: pieces of others, doubled pieces, odd words, lost ones. */
export function mutateWords(
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
