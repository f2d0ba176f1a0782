// Usage: node print-neighbours.js
// Prints the neighbour table of the namespace that it runs in, as JSON.
import { readNeighbours } from '../../src/net/neighbours.js'

process.stdout.write(JSON.stringify([...(await readNeighbours())]))
