// Usage: by agents.test.ts, inside the namespace: quota.js ROOT NAME PER_HOUR RUNS
// One line of JSON: which runs came through, and what they asked for.
import { Matrix } from './matrix.js'
import { AGENTS } from './programs.js'

const [root = '', name = '', perHour = '', runs = ''] = process.argv.slice(2)
const agent = AGENTS.find((one) => one.name === name)
if (agent === undefined) throw new Error(`nobody knows ${name}`)
{
  await using matrix = await Matrix.start(root, AGENTS)
  const { passed, rows } = await matrix.fill(agent, Number(perHour), Number(runs))
  const calls = rows.filter(
    (row) => row['is_call'] === 1 && row['event_type'] !== 'block',
  )
  const asked = rows.length
  console.log(JSON.stringify({ passed, asked, calls: calls.length }))
}
process.exit(0)
