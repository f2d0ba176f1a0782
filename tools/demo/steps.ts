/** The demo's steps that need more than a line or two. */
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { tlsThroughProxy } from '../../test/support/clients.js'
import { curl, hasProgram } from '../../test/support/programs.js'
import type { TempFolder } from '../../test/support/temp-folder.js'
import type { YoriProcess } from '../dev/yori-process.js'
import { isObject, listOf } from '../sim/json.js'
import type { Json } from '../sim/json.js'

const AUDIT_TIMEOUT_MS = 5000

export async function askWithCurl(
  port: number,
  ca: string,
  folder: TempFolder,
): Promise<string> {
  if (!hasProgram('curl')) return 'curl is not installed here: left out'
  writeFileSync(folder.file('yori-ca.pem'), ca)
  const question = { model: 'gpt-4o', messages: [{ role: 'user', content: 'From curl' }] }
  const { status, stdout, stderr } = await curl([
    ...['--proxy', `http://127.0.0.1:${port}`, '--cacert', folder.file('yori-ca.pem')],
    ...['--header', 'Authorization: Bearer simulated-key'],
    ...['--json', JSON.stringify(question)],
    'https://api.openai.com/v1/chat/completions',
  ])
  const text = stdout.toString()
  if (status !== 0 || !text.includes('From curl')) {
    throw new Error(`curl ended with ${status}: ${stderr}${text}`)
  }
  return `${stdout.length} bytes of JSON, certificate verified`
}

/** The common name of who signed what the host shows to a client that trusts `ca`. */
export async function issuerSeen(
  port: number,
  host: string,
  ca: string,
): Promise<string> {
  const socket = await tlsThroughProxy(port, host, { ca })
  const { issuer } = socket.getPeerCertificate()
  socket.destroy()
  return [issuer.CN].flat().join(', ')
}

/** The audit rows, as `yori audit list` gives them, once at least `wanted` are written. */
export async function auditRows(
  yori: YoriProcess,
  wanted: number,
): Promise<{ rows: readonly Json[]; text: string }> {
  const deadline = performance.now() + AUDIT_TIMEOUT_MS
  for (;;) {
    const { status, stdout, stderr } = await yori.command('audit', 'list', '--json')
    if (status !== 0) throw new Error(`yori audit list ended with ${status}: ${stderr}`)
    const rows = parseRows(stdout.toString())
    if (rows.filter((row) => row['event_type'] === 'response').length >= wanted) {
      const text = (await yori.command('audit', 'list')).stdout.toString().trimEnd()
      return { rows, text }
    }
    if (performance.now() > deadline) throw new Error(`only ${rows.length} rows came`)
    await delay(50)
  }
}

/** One JSON list, or one object a line. */
function parseRows(text: string): Json[] {
  const trimmed = text.trim()
  const values: unknown[] = trimmed.startsWith('[')
    ? [...listOf(JSON.parse(trimmed) as unknown)]
    : trimmed
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown)
  return values.filter(isObject)
}
