/** A row of the rule set's regression tests: a request, and the rules that it must meet or not. */
import { readFile } from 'node:fs/promises'
import { HOP_BY_HOP } from '../../src/http/head.js'
import { isCredentialField } from '../../src/processors/credentials.js'
import type { Row } from './kind.js'

export interface WafRow {
  /** `942`. */
  readonly family: string
  readonly method: string
  readonly uri: string
  /** Names and values, without those that a connection has for itself. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer | undefined
  readonly expects: readonly number[]
  readonly forbids: readonly number[]
}

type Read = Readonly<Record<string, unknown>>

/** Undefined: of another form. Content type and length are added, as the tests' own runner does. */
export function wafRowOf(row: Row): WafRow | undefined {
  const [stage] = (row['stages'] ?? []) as Read[]
  const input = (stage?.['input'] ?? {}) as Read
  if (stage === undefined || input['encoded_request'] !== undefined) return undefined
  const { method = 'GET', uri = '/', data } = input
  if (data !== undefined && data !== null && typeof data !== 'string') return undefined
  const body = typeof data === 'string' && data !== '' ? Buffer.from(data) : undefined
  const given = Object.entries((input['headers'] ?? {}) as Read).map(
    ([name, value]) => [name, String(value)] as const,
  )
  const has = (name: string): boolean => given.some(([one]) => one.toLowerCase() === name)
  const isCompleted = input['autocomplete_headers'] !== false
  const type = ['Content-Type', 'application/x-www-form-urlencoded'] as const
  const fields = given.filter(([name]) => !isOfConnection(name.toLowerCase()))
  const log = ((stage['output'] ?? {}) as Read)['log'] as Read | undefined
  const rules = (key: string): number[] => ((log?.[key] ?? []) as unknown[]).map(Number)
  return {
    family: String(row['rule_id']).slice(0, 3),
    ...{ method: String(method), uri: String(uri), body },
    fields:
      body !== undefined && isCompleted && !has('content-type')
        ? [...fields, type]
        : fields,
    ...{ expects: rules('expect_ids'), forbids: rules('no_expect_ids') },
  }
}

/** Whom it is for, how long it is, and what ends with the connection. */
function isOfConnection(lowerName: string): boolean {
  return (
    HOP_BY_HOP.has(lowerName) || ['host', 'content-length', 'expect'].includes(lowerName)
  )
}

/** As it is sent. */
export function rawOf(row: WafRow, host: string): Buffer {
  const { method, uri, fields, body } = row
  const lines = [
    `${method} ${uri} HTTP/1.1`,
    `Host: ${host}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined && method === 'GET'
      ? []
      : [`Content-Length: ${body?.length ?? 0}`]),
    'Connection: close',
  ]
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  return Buffer.concat([head, body ?? Buffer.alloc(0)])
}

/**
 * As the engine is to be told of it, for the question that is asked directly: a body is shown
 * without its coding (docs/WAF.md).
 */
export function fieldsOf(row: WafRow, host: string): string[] {
  const { method, fields, body } = row
  const needsLength = body !== undefined || (method !== 'GET' && method !== 'HEAD')
  return [
    ...['host', host],
    ...fields
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name !== 'content-encoding')
      .flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1').trim()]),
    ...(needsLength ? ['content-length', String(body?.length ?? 0)] : []),
  ]
}

/** As `waf.headers` takes. */
const MAX_NAMES = 64

/** Fields and parameters of those files that a processor sees only by name; fields go first. */
export async function hiddenNames(files: readonly string[]): Promise<string[]> {
  const names = new Set<string>(['cookie', 'authorization'])
  const parameters = new Set<string>()
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '')
    for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
      const row = wafRowOf(JSON.parse(line) as Row)
      for (const [name] of row?.fields ?? [])
        if (isCredentialField(name.toLowerCase())) names.add(name.toLowerCase())
      const query = row?.uri.split('?', 2)[1] ?? ''
      for (const one of query.split('&')) {
        const [name = ''] = one.split('=', 1)
        if (/^[\w-]{1,64}$/.test(name)) parameters.add(name.toLowerCase())
      }
    }
  }
  return [...new Set([...names, ...parameters])].slice(0, MAX_NAMES)
}
