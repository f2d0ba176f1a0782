// Usage: npm run reloads -- [--times N]
// Reloads YORI by SIGHUP while clients ask on every way in, over HTTP/1.1 and HTTP/2, as fast
// as they can, and prints how many requests were lost. Exit 1 when one was.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { ChildYori } from '../../test/support/child-yori.js'
import { answersOk, Load } from '../../test/support/load.js'
import { startOrigin } from '../../test/support/origins.js'
import { certificate, NAME, originCa } from '../../test/support/proxied.js'
import { machine } from './table.js'

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { times: { type: 'string', default: '100' } } })
  const times = Number(values.times)
  await using origin = await startOrigin({ certificate, handler: answersOk })
  await using yori = await ChildYori.start({
    origins: { [NAME]: origin },
    trust: [originCa],
  })
  await using load = await Load.start(yori)
  const { stderr } = yori.cli.child
  if (stderr === null) throw new Error('YORI has no log')
  const reloaded = (): number => yori.cli.stderr.split('"msg":"reloaded"').length - 1
  for (let n = 1; n <= times; n++) {
    yori.cli.signal('SIGHUP')
    while (reloaded() < n) await once(stderr, 'data')
  }
  const { answered, lost } = await load.end()
  console.log(machine())
  console.log(
    `requests lost in ${times} reloads under load: ${lost.length} of ${answered + lost.length}`,
  )
  for (const how of new Set(lost)) console.log(`  ${how}`)
  if (lost.length > 0) process.exitCode = 1
}

main().catch((cause: unknown) => {
  console.error(cause instanceof Error ? cause.message : cause)
  process.exitCode = 1
})
