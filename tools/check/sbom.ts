// Usage: npm run --silent sbom [-- --out FILE]
// The software bill of materials of what ships, CycloneDX JSON, from the lock file by npm: to
// standard output, or to FILE.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/core/package-root.js'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const text = execFileSync(
  'npm',
  ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'],
  {
    cwd: packageRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  },
)
if (values.out === undefined) {
  process.stdout.write(text)
} else {
  writeFileSync(values.out, text)
  const { components } = JSON.parse(text) as { components: readonly unknown[] }
  console.log(`${values.out}: ${components.length} components, CycloneDX`)
}
