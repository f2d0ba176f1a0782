/** One exchange in the forms of other tools, to be copied and saved. */
import { curlText, harOf } from '../../audit/exchange-forms.js'
import type { Listed } from '../../audit/where.js'
import { notFound } from '../answer.js'
import type { Answer } from '../answer.js'
import type { Call } from '../method.js'

export async function curl(call: Call): Promise<Answer> {
  const body = curlText(await rowOf(call))
  return { kind: 'text', status: 200, type: 'text/plain; charset=utf-8', body }
}

export async function har(call: Call): Promise<Answer> {
  const row = await rowOf(call)
  const name = String(row['request_id']).replaceAll(/[^\w-]/g, '')
  const fields = { 'content-disposition': `attachment; filename="yori-${name}.har"` }
  return { kind: 'json', status: 200, body: harOf(row), fields }
}

async function rowOf(call: Call): Promise<Listed> {
  const { params, on } = call
  const id = params['id'] ?? ''
  const row = await on.reader.ask('exchange', { id })
  if (row === null) throw notFound('exchange')
  on.access.looked(call, 'exchange', { id, device: row['device_ip'] })
  return row
}
