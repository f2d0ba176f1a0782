/**
 * The process that ships the record: told by one message for whom, it tells how far it is once a
 * second at most, and ends when it is told to or when whoever started it has gone.
 */
import { systemClock } from '../../core/clock.js'
import { Shipper } from './shipper.js'
import { destinationOf } from './destinations.js'
import type { ShipReport, ShipTask } from './words.js'

const TELL_MS = 500
/** To finish what is under way. */
const STOP_MS = 3_000

process.once('message', (task: ShipTask) => {
  void ship(task).finally(() => process.exit(0))
})

async function ship(task: ShipTask): Promise<void> {
  let last: ShipReport | undefined
  let timer: NodeJS.Timeout | undefined
  const tell = (): void => {
    timer = undefined
    if (last !== undefined && process.connected) process.send?.(last, () => undefined)
  }
  const shipper = new Shipper({
    database: task.database,
    destination: await destinationOf(task),
    now: () => systemClock.now(),
    report: (told) => {
      const { user, system } = process.cpuUsage()
      const report = { ...told, cpuMs: (user + system) / 1000 }
      const isNews = report.state.kind !== last?.state.kind
      last = report
      if (isNews) {
        clearTimeout(timer)
        tell()
      } else timer ??= setTimeout(tell, TELL_MS)
    },
  })
  const stop = (): void => {
    shipper.stop()
    setTimeout(() => process.exit(0), STOP_MS).unref()
  }
  process.once('disconnect', stop)
  process.on('message', stop)
  // It ends with the daemon, which has signals of its own.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', stop)
  await shipper.run()
  tell()
}
