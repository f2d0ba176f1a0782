// Usage: node dist/tools/sim/main.js [--host 127.0.0.1] [--port 0] [--ca-out FILE]
//          [--latency-ms N] [--chunk-gap-ms N]
// The provider simulator as a program. Prints one line of JSON when it listens, with the
// port and the PEM of the CA to trust; runs until SIGINT or SIGTERM.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Simulator } from './simulator.js'

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'ca-out': { type: 'string' },
    'latency-ms': { type: 'string', default: '0' },
    'chunk-gap-ms': { type: 'string', default: '0' },
  },
})

const latencyMs = Number(values['latency-ms'])
const chunkGapMs = Number(values['chunk-gap-ms'])
const simulator = await Simulator.start({
  host: values.host,
  port: Number(values.port),
  knobs: {
    ...(latencyMs > 0 ? { latencyMs } : {}),
    ...(chunkGapMs > 0 ? { chunkGapMs } : {}),
  },
})
const caPem = simulator.ca.certificatePem
if (values['ca-out'] !== undefined) writeFileSync(values['ca-out'], caPem)
console.log(JSON.stringify({ host: values.host, port: simulator.port, caPem }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void simulator[Symbol.asyncDispose]())
}
