/** A program under measurement that listens on a socket for `begin` and `end`, a JSON line each. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

/** What the program at the socket `path` counted while `run` ran, as its `end` says it. */
export async function countedDuring<Counted>(
  path: string,
  run: () => Promise<void>,
): Promise<Counted> {
  const socket = connect(path)
  await once(socket, 'connect')
  const lines = createInterface({ input: socket })
  const says = async (word: string): Promise<unknown> => {
    socket.write(`${word}\n`)
    const [line] = (await once(lines, 'line')) as [string]
    return JSON.parse(line) as unknown
  }
  try {
    await says('begin')
    await run()
    return (await says('end')) as Counted
  } finally {
    socket.destroy()
  }
}
