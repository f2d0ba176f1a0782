/** Every bench, in the order in which they run. Memory comes first: it begins at rest. */
import type { Bench } from '../bench.js'
import { events } from './events.js'
import { handshakes } from './handshakes.js'
import { memory } from './memory.js'
import { rate } from './rate.js'
import { reading } from './reading.js'
import { stalls } from './stalls.js'
import { throughput } from './throughput.js'
import { tunnel } from './tunnel.js'

export const benches: readonly Bench[] = [
  memory,
  rate,
  events,
  throughput,
  reading,
  handshakes,
  stalls,
  tunnel,
]
