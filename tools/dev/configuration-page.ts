// Usage: node dist/tools/dev/configuration-page.js
// Writes docs/CONFIGURATION.md from the schema: every key with type, default and meaning.
import { writeFileSync } from 'node:fs'
import { explain } from '../../config/explain.js'
import type { KeyDescription } from '../../config/explain.js'
import { packageFile } from '../../src/core/package-root.js'
import { isProgram } from '../check/finding.js'

const HEAD = `# Configuration

Every key, made from the schema; \`yori config explain KEY\` says the same. Durations are seconds
unless a key ends in \`_ms\`; sizes are bytes and may be written as \`10MiB\`. The file is YAML;
\`yori config check\` names every problem with its line.
`

/** The page, as it should stand in docs/. */
export function configurationPage(): string {
  const found = explain()
  if (found.kind !== 'known') throw new Error('the schema has no keys')
  const sections = new Map<string, KeyDescription[]>()
  for (const key of found.keys) {
    const section = key.key.split('.')[0] as string
    sections.set(section, [...(sections.get(section) ?? []), key])
  }
  const tables = [...sections].map(
    ([section, keys]) => `\n## ${section}\n\n${TABLE_HEAD}${keys.map(row).join('')}`,
  )
  return HEAD + tables.join('')
}

const TABLE_HEAD = '| key | type | default | meaning |\n| --- | --- | --- | --- |\n'

function row({
  key,
  type,
  default: value,
  expected,
  description,
}: KeyDescription): string {
  const meaning =
    expected === type ? description : `${description} Expected: ${expected}.`
  return `| \`${key}\` | ${cell(type)} | ${cell(defaultText(value))} | ${cell(meaning)} |\n`
}

function defaultText(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
}

if (isProgram(import.meta.url))
  writeFileSync(packageFile('docs', 'CONFIGURATION.md'), configurationPage())
