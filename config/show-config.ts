/** The configuration in force as YAML, each top-level key under a comment that says its origin. */
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { LoadedConfig } from './load.js'

/** Secrets read `[redacted]`. */
export function showConfig(loaded: LoadedConfig & { kind: 'ok' }): string {
  const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml
  // Through JSON, so that a secret prints as it serialises.
  const plain = JSON.parse(JSON.stringify(loaded.config)) as Record<string, unknown>
  const parts = Object.entries(plain).map(([key, value]) => {
    const origin = loaded.origins[key as keyof typeof loaded.origins].join(', ')
    return `# from ${origin}\n${yaml.stringify({ [key]: value })}`
  })
  return `# configuration in force: ${loaded.source}\n\n${parts.join('\n')}`
}
