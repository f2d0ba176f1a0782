// Usage: npm run --silent demo | node dist/tools/dev/terminal-picture.js > docs/demo.svg
// Text of a terminal as a picture that follows the reader's light or dark: SVG, no script.
import { readFileSync } from 'node:fs'
import { escaped } from '../../src/core/html.js'
import { isProgram } from '../check/finding.js'

const ADVANCE = 8.43
const LINE = 19
const PAD = 20
const BAR = 30
const FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

const STYLE = `
.back{fill:#f6f7f9;stroke:#c9ced6}.text{fill:#1f2933;font:14px ${FONT};white-space:pre}
.dot{fill:#c9ced6}.good{fill:#1a7f4b;font-weight:600}.head{font-weight:600}
@media (prefers-color-scheme:dark){
.back{fill:#14181d;stroke:#323a44}.text{fill:#dbe2ea}.dot{fill:#323a44}.good{fill:#57c98a}}
`

/** `lines` without escapes of the terminal; the first is what was typed. */
export function terminalPicture(lines: readonly string[]): string {
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * ADVANCE)
  const height = lines.length * LINE
  const text = lines.map((line, index) => {
    const y = BAR + PAD + index * LINE
    const kind = index === 0 ? 'text head' : 'text'
    return `<text class="${kind}" x="${PAD}" y="${y}">${marked(line)}</text>`
  })
  const dots = [0, 1, 2].map(
    (at) => `<circle class="dot" cx="${22 + at * 18}" cy="18" r="5"/>`,
  )
  const size = `${width + 2 * PAD} ${height + BAR + PAD}`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" role="img">\n` +
    `<title>${escaped(lines[0] ?? '')}</title>\n<style>${STYLE}</style>\n` +
    `<rect class="back" x=".5" y=".5" width="${width + 2 * PAD - 1}" ` +
    `height="${height + BAR + PAD - 1}" rx="8"/>\n${dots.join('')}\n${text.join('\n')}\n</svg>\n`
  )
}

/** A word of success at a line's end stands out. */
function marked(line: string): string {
  const shown = escaped(line).replaceAll(' ', '\u00a0')
  return shown.replace(/ok$/, '<tspan class="good">ok</tspan>')
}

if (isProgram(import.meta.url)) {
  const said = readFileSync(0, 'utf8').trimEnd().split('\n')
  process.stdout.write(terminalPicture(['$ npm run demo', ...said]))
}
