/**
 * How tools of MCP servers described themselves when they were first seen: what a model reads of a
 * tool is what makes it call it, and a server may change that afterwards. Digests, in a file of
 * the state folder, so that a restart forgets nothing; a disk that fails costs no traffic.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../core/log.js'
import { plainTool } from '../policy/mcp-tools.js'
import type { Service } from '../core/service.js'

/** Of each server; further tools are not pinned, and pass as they did. */
export const MOST_TOOLS = 1000
const MOST_SERVERS = 256
const MOST_FILE_BYTES = 16 * 1024 * 1024

/** `mcp-tools.json` in the state folder. */
export function toolPinsPath(stateDir: string): string {
  return join(stateDir, 'mcp-tools.json')
}

interface Pin {
  /** As it was taken. */
  pinned: string
  /** As it was said last. */
  seen: string
}

export class ToolPins implements Service {
  readonly name = 'tool pins'
  readonly #path: string
  readonly #log: Pick<Log, 'warn'>
  readonly #servers = new Map<string, Map<string, Pin>>()
  #isDirty = false
  #writing: Promise<void> | undefined

  constructor(path: string, log: Pick<Log, 'warn'>) {
    this.#path = path
    this.#log = log
  }

  async start(): Promise<void> {
    try {
      if ((await stat(this.#path)).size > MOST_FILE_BYTES) return
      this.#take(JSON.parse(await readFile(this.#path, 'utf8')))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') this.#failed(cause)
    }
  }

  async stop(): Promise<void> {
    await this.#writing
  }

  /**
   * A server has told its tools. Those not seen before are taken as they are; gives the names of
   * those that now describe themselves otherwise than when that was told before.
   */
  saw(server: string, tools: readonly unknown[]): string[] {
    const changed: string[] = []
    for (const tool of tools) {
      const { name } = (tool ?? {}) as { name?: unknown }
      if (typeof name !== 'string' || name === '') continue
      const digest = digestOf(tool)
      const pin = this.#pinOf(server, name, digest)
      if (pin === undefined || pin.seen === digest) continue
      pin.seen = digest
      if (pin.pinned !== digest) changed.push(name)
      this.#save()
    }
    return changed
  }

  /** The digest of what a tool says now, where that is not what was taken; else undefined. */
  changed(server: string, tool: string): string | undefined {
    const pin = this.#find(server, tool)
    return pin === undefined || pin.pinned === pin.seen ? undefined : pin.seen
  }

  /** What it says now is taken from now on. */
  accept(server: string, tool: string): void {
    const pin = this.#find(server, tool)
    if (pin === undefined || pin.pinned === pin.seen) return
    pin.pinned = pin.seen
    this.#save()
  }

  /** By its name, else by one that a server may take for the same. */
  #find(server: string, tool: string): Pin | undefined {
    const tools = this.#servers.get(server)
    const exact = tools?.get(tool)
    if (exact !== undefined || tools === undefined) return exact
    const plain = plainTool(tool)
    for (const [name, pin] of tools) if (plainTool(name) === plain) return pin
    return undefined
  }

  #pinOf(server: string, name: string, digest: string): Pin | undefined {
    let tools = this.#servers.get(server)
    if (tools === undefined) {
      if (this.#servers.size >= MOST_SERVERS) return undefined
      tools = new Map()
      this.#servers.set(server, tools)
    }
    const known = tools.get(name)
    if (known !== undefined) return known
    if (tools.size >= MOST_TOOLS) return undefined
    tools.set(name, { pinned: digest, seen: digest })
    this.#save()
    return undefined
  }

  #save(): void {
    this.#isDirty = true
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  async #write(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false
      const servers = Object.fromEntries(
        [...this.#servers].map(([server, tools]) => [server, [...tools]]),
      )
      const draft = `${this.#path}.${randomUUID()}`
      try {
        await writeFile(draft, JSON.stringify({ servers }), { mode: 0o600 })
        await rename(draft, this.#path)
      } catch (cause) {
        await rm(draft, { force: true }).catch(() => undefined)
        this.#failed(cause)
      }
    }
  }

  #take(kept: unknown): void {
    const { servers } = (kept ?? {}) as { servers?: unknown }
    for (const [server, tools] of Object.entries(servers ?? {}).slice(0, MOST_SERVERS)) {
      const pins = new Map<string, Pin>()
      for (const entry of Array.isArray(tools) ? (tools as unknown[]) : []) {
        const [name, pin] = (Array.isArray(entry) ? entry : []) as [unknown, unknown]
        const { pinned, seen } = (pin ?? {}) as { pinned?: unknown; seen?: unknown }
        if (pins.size >= MOST_TOOLS || typeof name !== 'string') continue
        if (typeof pinned === 'string' && typeof seen === 'string')
          pins.set(name, { pinned, seen })
      }
      this.#servers.set(server, pins)
    }
  }

  #failed(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#log.warn({ path: this.#path, reason }, 'what tools say could not be kept')
  }
}

/** Of what a model is told of a tool, whatever the order of its members. */
function digestOf(tool: unknown): string {
  const { name, title, description, inputSchema, outputSchema, annotations } =
    tool as Record<string, unknown>
  const said = { name, title, description, inputSchema, outputSchema, annotations }
  return createHash('sha256').update(JSON.stringify(said, inOrder)).digest('base64url')
}

function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries)
}
