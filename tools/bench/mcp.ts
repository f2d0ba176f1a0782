/**
 * Ten thousand calls of MCP through the door, of clients of both official lines, with the server's
 * connections cut in the middle; and ten thousand questions to `yori mcp`, with the memory of its
 * process before and after. `node dist/tools/bench/mcp.js [CALLS]`; docs/MCP.md has a run of it.
 */
import { readFileSync, readdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { Client as NewClient } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { packageFile } from '../../src/core/package-root.js'
import { Controlled } from '../../test/support/control.js'
import { startMcpServers } from '../../test/support/mcp-servers.js'

const CALLS = Number(process.argv[2] ?? 10_000)
const CUT_EVERY = 1000
const MAIN = packageFile('dist', 'src', 'cli', 'main.js')

type Call = (name: string) => Promise<{ readonly isError?: unknown }>

/** Resident memory of a process, in MB. */
function rssOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024
}

function childOf(pid: number): number {
  for (const one of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${one}/status`, 'utf8')
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) === pid) return Number(one)
    } catch {
      // It has ended meanwhile.
    }
  }
  return pid
}

async function throughDoor(name: string, call: Call, server: Server): Promise<object> {
  const counts = { led: 0, denied: 0, failed: 0, afterFailure: 0 }
  let hasFailed = false
  for (let i = 0; i < CALLS; i++) {
    if (i % CUT_EVERY === CUT_EVERY / 2) setImmediate(() => server.closeAllConnections())
    try {
      const { isError } = await call(i % 10 === 0 ? 'wipe' : 'greet')
      counts[isError === true ? 'denied' : 'led']++
      if (hasFailed) counts.afterFailure++
      hasFailed = false
    } catch {
      counts.failed++
      hasFailed = true
    }
  }
  return { name, calls: CALLS, ...counts }
}

await using servers = await startMcpServers()
await using controlled = await Controlled.start({
  config: {
    mcp: {
      servers: {
        old: { url: `${servers.url}/old`, tools: { wipe: 'deny' } },
        new: { url: `${servers.url}/new`, tools: { wipe: 'deny' } },
      },
    },
  },
})
const { yori } = controlled
const base = `${yori.url}/mcp/servers`
const server = servers.origin.server as Server
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

// First: the more there is in the record, the longer each answer takes.
const asking = new Client({ name: 'bench', version: '1' })
const args = [MAIN, 'mcp', '-c', yori.folder.file('yori.conf')]
const stdio = new StdioClientTransport({ command: process.execPath, args })
await asking.connect(stdio)
const pid = childOf(stdio.pid ?? 0)
const rss = [rssOf(pid)]
let wrong = 0
for (let i = 0; i < CALLS; i++) {
  const { isError } = await asking.callTool({ name: 'usage_last_day', arguments: {} })
  if (isError === true) wrong++
  if (i + 1 === CALLS / 10 || i + 1 === CALLS) rss.push(rssOf(pid))
}
say({ name: 'yori mcp', calls: CALLS, wrong, rssMb: rss.map(Math.round) })
await asking.close()

const old = new Client({ name: 'bench', version: '1' })
const oldTransport = new StreamableHTTPClientTransport(new URL(`${base}/old`))
await old.connect(oldTransport)
const before = process.memoryUsage().rss
say(
  await throughDoor(
    'older line, one session',
    (name) => old.callTool({ name, arguments: {} }) as ReturnType<Call>,
    server,
  ),
)
await old.close()

const auto = { versionNegotiation: { mode: 'auto' as const } }
const fresh = new NewClient({ name: 'bench', version: '1' }, auto)
await fresh.connect(new NewTransport(new URL(`${base}/new`)))
say(
  await throughDoor(
    'newer line, 2026-07-28',
    (name) => fresh.callTool({ name, arguments: {} }),
    server,
  ),
)
await fresh.close()
const denied = servers.calls.filter((name) => name === 'wipe').length
say({ seenOfDenied: denied, rssGrowthMb: (process.memoryUsage().rss - before) / 2 ** 20 })
