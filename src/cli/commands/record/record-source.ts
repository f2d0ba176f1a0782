/**
 * Where commands read the record: from the running YORI through its socket, which has written
 * everything up to now, else from the file. Says which.
 */
import { openReader } from '../../../audit/queries.js'
import type { AuditReader } from '../../../audit/queries.js'
import type { RecordAsked } from '../../../control/record-rows.js'
import { printable } from '../../../audit/printable.js'
import type { AuditCommandDeps, CommonFlags } from './record-deps.js'

type Questions = 'list' | 'stats' | 'usage' | 'sessions' | 'session'

/** The questions that both can answer. */
export type RecordSource = {
  readonly [Name in Questions]: (
    ...asked: Parameters<AuditReader[Name]>
  ) => Promise<Awaited<ReturnType<AuditReader[Name]>>>
} & { readonly columns: readonly string[] } & Disposable

/** @throws YORI_AUDIT_UNAVAILABLE */
export async function openRecord(
  deps: AuditCommandDeps,
  flags: CommonFlags,
): Promise<RecordSource> {
  const found = await columnsTold(deps, flags)
  if (found.kind === 'columns') {
    deps.note?.('yori: told by the running YORI\n')
    return told(deps, flags, found.columns)
  }
  if (found.reason !== undefined)
    deps.note?.(`yori: told from the files: ${printable(found.reason)}\n`)
  return ofFile(openReader((await deps.auditOptions(flags.config)).database))
}

type Told =
  | { readonly kind: 'columns'; readonly columns: readonly string[] }
  | { readonly kind: 'none'; readonly reason?: string }

async function columnsTold({ ask }: AuditCommandDeps, flags: CommonFlags): Promise<Told> {
  if (ask === undefined) return { kind: 'none' }
  const body = { read: 'columns' }
  const question = { verb: 'POST', path: '/api/record', body } as const
  const asked = await ask(flags.config, question)
  if (asked.kind === 'unreachable') return { kind: 'none', reason: asked.reason }
  const { found } = (asked.body ?? {}) as { found?: unknown }
  return asked.status === 200 && Array.isArray(found)
    ? { kind: 'columns', columns: found.map(String) }
    : { kind: 'none', reason: `the running YORI answered ${asked.status}` }
}

function told(
  deps: AuditCommandDeps,
  flags: CommonFlags,
  columns: readonly string[],
): RecordSource {
  let file: RecordSource | undefined
  const asked = async <Found>(
    body: Partial<RecordAsked>,
    otherwise: (file: RecordSource) => Promise<Found>,
  ): Promise<Found> => {
    const question = { verb: 'POST', path: '/api/record', body } as const
    const answer =
      file === undefined ? await deps.ask?.(flags.config, question) : undefined
    if (answer?.kind === 'answered' && answer.status === 200)
      return (answer.body as { found: Found }).found
    // Too much for one answer, or it has ended meanwhile.
    if (file === undefined) {
      deps.note?.('yori: that is more than it tells at once: told from the files\n')
      file = ofFile(openReader((await deps.auditOptions(flags.config)).database))
    }
    return await otherwise(file)
  }
  return {
    columns,
    list: (filter, limit, names) =>
      asked({ read: 'list', filter, limit, columns: names }, (of) =>
        of.list(filter, limit, names),
      ),
    stats: (filter) => asked({ read: 'stats', filter }, (of) => of.stats(filter)),
    usage: (filter, wall) =>
      asked({ read: 'usage', filter }, (of) => of.usage(filter, wall)),
    sessions: (filter, limit) =>
      asked({ read: 'sessions', filter, limit }, (of) => of.sessions(filter, limit)),
    session: (id, limit) =>
      asked({ read: 'session', id, limit }, (of) => of.session(id, limit)),
    [Symbol.dispose]: () => file?.[Symbol.dispose](),
  }
}

function ofFile(reader: AuditReader): RecordSource {
  return {
    columns: reader.columns,
    list: async (...asked) => reader.list(...asked),
    stats: async (...asked) => reader.stats(...asked),
    usage: async (...asked) => reader.usage(...asked),
    sessions: async (...asked) => reader.sessions(...asked),
    session: async (...asked) => reader.session(...asked),
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  }
}
