/**
 * What a client says of itself in fields of ours: `X-Yori-Session-Id`, `X-Yori-Agent-Id` and
 * `X-Yori-Tags`, and the same with `X-Cylestio-` in front. They are read here and never
 * forwarded. A value that is not fit to be shown and stored is as good as none. Pure.
 */

export const TAG_LIMITS = { count: 50, keyChars: 64, valueChars: 512 } as const

/**
 * What was fit to be kept: ids of 1 to 128 letters, digits and `._:@/+=-`; of tags the
 * first 50 whose name and value are within `TAG_LIMITS` (UTF-16 units).
 */
export interface NamedIds {
  readonly sessionId?: string
  readonly agentId?: string
  readonly tags?: ReadonlyMap<string, string>
}

const NOTHING: NamedIds = {}
const FAMILIES = ['x-yori-', 'x-cylestio-'] as const

/** `own`: fields by lower-case name. Of two names for one thing the first counts. */
export function readNamedIds(own: ReadonlyMap<string, string> | undefined): NamedIds {
  if (own === undefined || own.size === 0) return NOTHING
  const sessionId = idOf(own, ['session-id', 'conversation-id'])
  const agentId = idOf(own, ['agent-id', 'prompt-id'])
  const tags = readTags(field(own, 'tags'))
  return {
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(agentId === undefined ? {} : { agentId }),
    ...(tags.size === 0 ? {} : { tags }),
  }
}

const PROGRAM_CHARS = { name: 64, folder: 256 } as const

/**
 * What `yori exec` says of its program in `X-Yori-Program`: its name and folder, each encoded
 * as in URLs, with a blank between; cut at 64 and 256 UTF-16 units. Undefined: nothing that
 * could be read. Whether who says so may be believed is for the caller.
 */
export function readProgram(
  own: ReadonlyMap<string, string> | undefined,
): { readonly name: string; readonly folder?: string } | undefined {
  const [name, folder] = own?.get('x-yori-program')?.split(' ') ?? []
  try {
    if (name === undefined || name === '') return undefined
    const told = { name: decodeURIComponent(name).slice(0, PROGRAM_CHARS.name) }
    if (folder === undefined) return told
    return { ...told, folder: decodeURIComponent(folder).slice(0, PROGRAM_CHARS.folder) }
  } catch {
    return undefined
  }
}

function field(own: ReadonlyMap<string, string>, name: string): string | undefined {
  for (const family of FAMILIES) {
    const value = own.get(family + name)
    if (value !== undefined) return value
  }
  return undefined
}

function idOf(
  own: ReadonlyMap<string, string>,
  names: readonly string[],
): string | undefined {
  for (const name of names) {
    const id = field(own, name)?.trim()
    if (id !== undefined && /^[A-Za-z0-9._:@/+=-]{1,128}$/.test(id)) return id
  }
  return undefined
}

/** `key:value,key`: a value begins behind the first colon; a key alone has an empty one. */
function readTags(text: string | undefined): Map<string, string> {
  const tags = new Map<string, string>()
  if (text === undefined) return tags
  for (const item of text.split(',')) {
    if (tags.size >= TAG_LIMITS.count) break
    const colon = item.indexOf(':')
    const key = (colon < 0 ? item : item.slice(0, colon)).trim()
    const value = colon < 0 ? '' : item.slice(colon + 1).trim()
    if (key === '' || tags.has(key)) continue
    if (key.length > TAG_LIMITS.keyChars || value.length > TAG_LIMITS.valueChars) continue
    tags.set(key, value)
  }
  return tags
}
