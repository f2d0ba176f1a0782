/** Where the process of the firewall begins: told its settings, it serves until its parent is gone. */
import { serveWaf } from './process.js'
import type { WafProcess } from './process.js'
import type { FromWaf, ToWaf } from './told.js'

/** After it was told to end: what it was asked may be answered. */
const LAST_MS = 1_000

let serving: WafProcess | undefined

const tell = (message: FromWaf): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}

process.on('message', (message: ToWaf) => {
  switch (message.kind) {
    case 'start':
      void serveWaf(message.settings, tell).then((served) => {
        serving = served
      })
      return
    case 'ping': {
      const rssBytes = process.memoryUsage.rss()
      if (serving !== undefined) tell({ kind: 'pong', counts: serving.counts, rssBytes })
      return
    }
    case 'end':
      setTimeout(() => process.exit(0), LAST_MS)
  }
})
// Without its parent nobody would start it again, or end it.
process.on('disconnect', () => process.exit(0))
// A terminal says it to all: the parent decides.
process.on('SIGINT', () => undefined)
