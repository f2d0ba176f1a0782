/**
 * The process that is a server of MCP: its first argument says, in JSON, for whom. It is started
 * with flags that bound its memory (`start-child.ts`), and ends with whoever started it.
 */
import { chmodSync } from 'node:fs'
import type { ChildTask } from './start-child.js'

const PACKAGES = '@modelcontextprotocol/server @modelcontextprotocol/node zod'
const NOT_INSTALLED = 4

const task = JSON.parse(process.argv[2] ?? '{}') as ChildTask
try {
  const { httpServer, serveOnStdio } = await import('./serve.js')
  if (task.kind === 'stdio') {
    await serveOnStdio(task, task.role)
    process.exit(0)
  }
  const { socket } = task
  process.umask(0o177)
  const server = httpServer(task)
  process.once('disconnect', () => process.exit(0))
  server.once('error', () => process.exit(1))
  server.listen(socket, () => {
    chmodSync(socket, 0o600)
    process.send?.('ready')
  })
} catch (cause) {
  if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
  process.stderr.write(
    `yori: this needs packages that are not here: npm install ${PACKAGES}\n`,
  )
  process.exit(NOT_INSTALLED)
}
