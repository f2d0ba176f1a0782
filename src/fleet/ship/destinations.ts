/** Where a record goes, by the word of the configuration; each is loaded when it is asked for. */
import type { Destination, ShipTask } from './words.js'

export async function destinationOf(task: ShipTask): Promise<Destination> {
  if ('sink' in task) {
    const { sinkOf } = await import('../sinks/sink-of.js')
    return sinkOf(task)
  }
  const { url, gateway, passwordFile, caFile, placeFile } = task
  if (task.to === 'clickhouse') {
    const { ClickHouse } = await import('./clickhouse/clickhouse.js')
    return new ClickHouse({ url, gateway, passwordFile, caFile, placeFile })
  }
  const { Postgres } = await import('./postgres/postgres.js')
  const { postgresAddress } = await import('./postgres/address.js')
  return new Postgres({
    gateway,
    address: () => postgresAddress(url, { passwordFile, caFile }),
  })
}
