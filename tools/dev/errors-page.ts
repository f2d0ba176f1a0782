// Usage: node dist/tools/dev/errors-page.js
// Writes docs/ERRORS.md: every code from the catalogue, with what to look at and what to do.
import { writeFileSync } from 'node:fs'
import { describeError, errorCodes } from '../../src/core/errors.js'
import { packageFile } from '../../src/core/package-root.js'
import { REMEDIES } from '../../src/core/remedies.js'
import { isProgram } from '../check/finding.js'

const HEAD = `# Errors

Codes are public. A client sees them in its provider's own error shape, with a request id that is
also in the record and in the log; \`yori explain CODE\` says the same as this page, and
\`yori audit show ID\` what is known of the exchange.

<!-- made by node dist/tools/dev/errors-page.js -->

| code | whose | HTTP | says | look at | do |
| --- | --- | --: | --- | --- | --- |
`

/** The page, as it should stand in docs/. */
export function errorsPage(): string {
  const rows = errorCodes.map((code) => {
    const { source, status, says } = describeError(code)
    const { look, do: remedy } = REMEDIES[code]
    const cells = [`\`${code}\``, source, String(status), says, look, remedy]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  })
  return HEAD + rows.join('')
}

if (isProgram(import.meta.url))
  writeFileSync(packageFile('docs', 'ERRORS.md'), errorsPage())
