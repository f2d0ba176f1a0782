/**
 * YAML for the policies of the cases, by the `yaml` package: version 1.1, which the reference
 * evaluator reads, and errors with the line and the reference's first words.
 */
import { parseDocument, stringify } from 'yaml'
import { YamlSyntaxError } from '@yori/rego'
import type { YamlCodec } from '@yori/rego'

export const yamlCodec: YamlCodec = {
  parse(text) {
    const [first = ''] = text.split(/^---$/m).filter((part) => part.trim() !== '')
    const document = parseDocument(first, {
      version: '1.1',
      intAsBigInt: true,
      schema: 'yaml-1.1',
      customTags: (tags) => tags.filter((tag) => !isTimestamp(tag)),
      merge: true,
      logLevel: 'error',
    })
    const [error] = document.errors
    if (error !== undefined) {
      const line = error.linePos?.[0].line ?? 1
      throw new YamlSyntaxError(
        `yaml: line ${line}: did not find expected ${reasonOf(error.message)}`,
      )
    }
    try {
      return document.toJS({ mapAsMap: true, maxAliasCount: 100 }) as unknown
    } catch (cause) {
      throw new YamlSyntaxError('yaml: document contains excessive aliasing', { cause })
    }
  },
  stringify: (value) =>
    stringify(value, { indentSeq: false, lineWidth: 0, compat: 'yaml-1.1' }),
}

/** Dates stay text. */
function isTimestamp(tag: unknown): boolean {
  return (
    typeof tag === 'object' &&
    tag !== null &&
    'tag' in tag &&
    tag.tag === 'tag:yaml.org,2002:timestamp'
  )
}

/** The first words, without the place and the excerpt behind them. */
function reasonOf(message: string): string {
  const at = message.indexOf(' at line ')
  return at < 0 ? message : message.slice(0, at)
}
