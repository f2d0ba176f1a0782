// Called by after-tsc: turns the configuration schema into plain code, so that the running
// process validates without carrying ajv's compiler.
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { configSchema } from '../../config/schema.js'

const require = createRequire(import.meta.url)
const { default: standaloneCode } = require('ajv/dist/standalone') as {
  default: (ajv: Ajv, exported: Record<string, string>) => string
}

/** JSON Schema's own words; what else a node holds says nothing about validity. */
const JUDGING = new Set([
  ...['type', 'enum', 'minimum', 'maximum', 'maxLength', 'minItems', 'maxItems', 'items'],
  ...['properties', 'required', 'additionalProperties', 'maxProperties'],
])

/** The source of `dist/config/validate-config.js`, an ES module. The same input, the same text. */
export function compileSchema(): string {
  const ajv = new Ajv({
    allErrors: true,
    messages: false,
    code: { source: true, esm: true, lines: true },
  })
  ajv.addSchema(judgingPart(configSchema), 'config')
  const code = standaloneCode(ajv, { validateConfig: 'config' })
  if (!code.includes('require(')) return code
  // Helpers such as `ucs2length` are CommonJS; ajv asks for them by `require` even in ESM.
  const helper = "import { createRequire } from 'node:module'"
  return `${helper};\nconst require = createRequire(import.meta.url);\n${code}`
}

/**
 * A node without descriptions, defaults and annotations. Texts are checked where the message
 * can say what is wrong with them (schema-formats), not here.
 */
function judgingPart(node: object): object {
  return Object.fromEntries(
    Object.entries(node as Record<string, unknown>)
      .filter(([word]) => JUDGING.has(word))
      .map(([word, value]) => [word, judgingValue(word, value)]),
  )
}

function judgingValue(word: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if (word !== 'properties') return judgingPart(value)
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, judgingPart(child as object)]),
  )
}
