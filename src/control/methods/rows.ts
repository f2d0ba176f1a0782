/** The record for the commands of this machine: rows as the file has them, up to this moment. */
import type { Filter } from '../../audit/where.js'
import { badRequest } from '../answer.js'
import type { Handler } from '../method.js'
import { FILTERS, wallOf } from '../query.js'
import type { Wall } from '../query.js'
import { RECORD_READS } from '../record-rows.js'
import type { RecordAsked } from '../record-rows.js'

const MOST_ROWS = 10_000
const MOST_COLUMNS = 200
const LONGEST = 256
/** What waits to be written is waited for, no longer than that. */
const FLUSH_MS = 1_000

export const rows: Handler = async (call) => {
  const { body, on } = call
  const asked = askedBy(body, wallOf(on.port))
  const late = new Promise((resolve) => setTimeout(resolve, FLUSH_MS).unref())
  await Promise.race([on.port.appliance.audit.flush(), late])
  const text = await on.reader.ask('record', asked)
  const { sinceMs: _since, untilMs: _until, ...filter } = asked.filter
  const { read, id } = asked
  const session = id === '' ? {} : { id }
  if (read !== 'columns')
    on.access.looked(call, 'exchanges', { read, ...filter, ...session })
  return { kind: 'text', status: 200, type: 'application/json', body: text }
}

/** @throws Refusal 400 */
function askedBy(body: unknown, wall: Wall): RecordAsked {
  const {
    read,
    filter = {},
    limit = 50,
    columns = [],
    id = '',
    ...more
  } = (body ?? {}) as Record<string, unknown>
  const known = RECORD_READS.find((name) => name === read)
  const isFew =
    typeof limit === 'number' &&
    Number.isInteger(limit) &&
    limit >= 0 &&
    limit <= MOST_ROWS
  const areNames =
    Array.isArray(columns) &&
    columns.length <= MOST_COLUMNS &&
    columns.every((name) => typeof name === 'string')
  const isId = typeof id === 'string' && id.length <= LONGEST
  if (known === undefined || !isFew || !areNames || !isId || Object.keys(more).length > 0)
    throw badRequest(`{"read": one of ${RECORD_READS.join(', ')}, ...} is expected`)
  return {
    read: known,
    filter: filterIn(filter),
    limit,
    columns,
    id,
    wall,
  }
}

function filterIn(filter: unknown): Filter {
  if (typeof filter !== 'object' || filter === null) throw badRequest('filter: an object')
  for (const [name, value] of Object.entries(filter)) {
    const isMoment = name === 'sinceMs' || name === 'untilMs'
    const isText =
      FILTERS.includes(name) && typeof value === 'string' && value.length <= LONGEST
    if (!(isMoment ? Number.isFinite(value) : isText))
      throw badRequest(`filter.${name.slice(0, 40)}: no such filter, or not such a value`)
  }
  return filter
}
