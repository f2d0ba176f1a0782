/**
 * How long a new name costs, and what the contexts weigh.
 * usage: node --expose-gc dist/tools/bench/mint.js [--names 2000] [--max 500]
 *
 * Mints that many distinct names through `LeafContexts`, one after the other, as handshakes
 * would. Prints milliseconds for the leaf alone and for the leaf with its TLS context, and how
 * RSS grew. Proves first that OpenSSL's verdict, through Node, is that a minted leaf is good.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openAuthority } from '../../ca/authority.js'
import type { Authority } from '../../ca/authority.js'
import { LeafContexts } from '../../ca/leaf-cache.js'
import { systemClock } from '../../src/core/clock.js'

const { values } = parseArgs({
  options: {
    names: { type: 'string', default: '2000' },
    max: { type: 'string', default: '500' },
  },
})
const count = Number(values.names)
const max = Number(values.max)
const WARM_UP = 100

const directory = await mkdtemp(join(tmpdir(), 'yori-mint-'))
try {
  const authority = await openAuthority({
    directory: join(directory, 'ca'),
    issuedNames: ['*.openai.azure.com', 'api.openai.com'],
    clock: systemClock,
  })
  verify(authority)
  await measure(authority)
} finally {
  await rm(directory, { recursive: true })
}

function verify(authority: Authority): void {
  const { certPem } = authority.mint('api.openai.com', Date.now())
  const leaf = new X509Certificate(certPem)
  const issuing = new X509Certificate(authority.issuingPem)
  const root = new X509Certificate(authority.rootPem)
  const good =
    leaf.verify(issuing.publicKey) &&
    issuing.verify(root.publicKey) &&
    leaf.checkPrivateKey(createPrivateKey(authority.leafKeyPem)) &&
    leaf.checkHost('api.openai.com') === 'api.openai.com'
  if (!good) throw new Error('the minted chain does not hold')
}

async function measure(authority: Authority): Promise<void> {
  const contexts = new LeafContexts({ authority, clock: systemClock, max })
  for (let i = 0; i < WARM_UP; i++) await contexts.contextFor(nameOf('warm', i))
  globalThis.gc?.()
  const rssBefore = process.memoryUsage.rss()
  const mint: number[] = []
  const whole: number[] = []
  const serials = new Set<string>()
  let mintMs = 0
  for (let i = 0; i < count; i++) {
    const cpu = process.cpuUsage()
    const start = performance.now()
    const { certPem } = authority.mint(nameOf('leaf', i), Date.now())
    mint.push(performance.now() - start)
    mintMs += cpuMs(cpu) / count
    serials.add(new X509Certificate(certPem).serialNumber)
  }
  const wholeCpu = process.cpuUsage()
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await contexts.contextFor(nameOf('context', i))
    whole.push(performance.now() - start)
  }
  const wholeMs = cpuMs(wholeCpu) / count
  globalThis.gc?.()
  const grown = (process.memoryUsage.rss() - rssBefore) / 1_048_576
  const { minted, evicted } = contexts.counters
  console.log(`Node ${process.version}, ${count} names, at most ${max} contexts held`)
  console.log(`leaf             ${figures(mint)}, CPU ${mintMs.toFixed(3)} ms`)
  console.log(`leaf and context ${figures(whole)}, CPU ${wholeMs.toFixed(3)} ms`)
  console.log(`serials unique   ${serials.size} of ${count}`)
  console.log(`held ${contexts.size}, minted ${minted}, evicted ${evicted}`)
  console.log(`RSS grew by ${grown.toFixed(1)} MB`)
}

/** Of this process since then: what a busy machine does not blur. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

function nameOf(kind: string, i: number): string {
  return `${kind}-${i}.openai.azure.com`
}

function figures(ms: number[]): string {
  const sorted = ms.sort((a, b) => a - b)
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(
      3,
    )
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`
}
