/**
 * Blocks requests that say one of the words of a file, a word a line, and marks those that do
 * not. Usage: denylist.js SOCKET FILE
 */
import { readFileSync } from 'node:fs'
import { serveProcessor } from 'yori/processor'

const [path = '/tmp/yori-denylist.sock', file = 'denylist.txt'] = process.argv.slice(2)
const words = readFileSync(file, 'utf8')
  .split('\n')
  .map((word) => word.trim().toLowerCase())
  .filter((word) => word !== '')

/** What came before of a body whose end has not come; the oldest go first. */
const begun = new Map<string, string>()
const MOST_BEGUN = 1000

await serveProcessor(path, {
  name: 'denylist',
  requestHead: () => ({ requestHeaders: { 'x-looked-at-by': 'denylist' } }),
  requestBody({ id, bytes, isLast }) {
    const text = (begun.get(id) ?? '') + bytes.toString().toLowerCase()
    begun.delete(id)
    const index = words.findIndex((word) => text.includes(word))
    if (index >= 0)
      return {
        block: { status: 403, text: 'a word that is not used here' },
        ruleIds: [`word-${index + 1}`],
        tags: ['denylist'],
      }
    if (isLast) return undefined
    if (begun.size >= MOST_BEGUN) begun.delete(begun.keys().next().value ?? '')
    begun.set(id, text)
    return undefined
  },
})
