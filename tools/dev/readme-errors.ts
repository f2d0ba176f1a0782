// Usage: node dist/tools/dev/readme-errors.js
// Writes the README's table of errors from the catalogue in src/core/errors.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import { describeError, errorCodes } from '../../src/core/errors.js'
import { packageFile } from '../../src/core/package-root.js'

const HEAD = '| code | whose | HTTP | says |\n| --- | --- | --: | --- |\n'

const file = packageFile('README.md')
const lines = errorCodes.map((code) => {
  const { source, status, says } = describeError(code)
  return `| \`${code}\` | ${source} | ${status} | ${says} |\n`
})
const text = readFileSync(file, 'utf8')
const start = text.indexOf(HEAD) + HEAD.length
const end = text.indexOf('\n\n', start - 1) + 1
writeFileSync(file, text.slice(0, start) + lines.join('') + text.slice(end))
