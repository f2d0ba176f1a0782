/**
 * Service tiers: at which of its prices a provider served a call. OpenAI's `service_tier`,
 * Anthropic's `usage.service_tier` and `speed`, Gemini's `serviceTier` and Vertex's
 * `trafficType`, Bedrock's `serviceTier` and `performanceConfig`. Which was asked for is not
 * which was served. Pure.
 */
import { cutAt } from './bounded-text.js'
import { asRecord, asText } from './json.js'
import type { Json } from './json.js'

const MAX_TIER_CHARS = 32

/** What is priced as the lists of providers say without more. */
const STANDARD: ReadonlySet<string> = new Set([
  'standard',
  'default',
  'on_demand',
  'standard_only',
  'unspecified',
])

/** Served later, or paid by time: by the token no list asks more than its standard price. */
const NO_DEARER: ReadonlySet<string> = new Set([
  'batch',
  'flex',
  'on_demand_flex',
  'scale',
  'reserved',
  'provisioned_throughput',
])

/** Times its standard price: the most that a list asks of a tier (Anthropic's fast mode). */
const DEAREST_TIER = 6

/** Says that somebody else is to choose, and nothing of what was served. */
const CHOSEN_LATER = 'auto'

/**
 * A provider's word for a tier as it is kept: in lower case, at most 32 characters.
 * Undefined: it names none, or leaves it to the provider (`auto`).
 */
export function tierNamed(word: unknown): string | undefined {
  const told = asText(word)?.trim().toLowerCase() ?? ''
  const tier = told.replace(/^(?:service_tier|traffic_type)_/, '').replaceAll(' ', '_')
  return tier === '' || tier === CHOSEN_LATER ? undefined : cutAt(tier, MAX_TIER_CHARS)
}

/** Priced as the provider's list says without more; so is what no tier is named of. */
export function isStandard(tier: string | undefined): boolean {
  return tier === undefined || STANDARD.has(tier)
}

/** Times the standard price: the most that this tier costs as far as anybody knows. */
export function mostTimes(tier: string | undefined): number {
  if (tier === undefined || isStandard(tier) || NO_DEARER.has(tier)) return 1
  return DEAREST_TIER
}

/** Where bodies say it, of requests and of answers alike; a faster mode is a tier by itself. */
export function tierIn(value: Json | undefined): string | undefined {
  if (value === undefined) return undefined
  const { service_tier: named = value.serviceTier } = value
  const speed = value.speed ?? asRecord(value.performanceConfig)?.latency
  return fasterOf(speed) ?? tierNamed(asRecord(named)?.type ?? named)
}

/** Heads that say it: ai.google.dev/gemini-api, docs.aws.amazon.com/bedrock (InvokeModel). */
export function tierInHead(
  header: (name: string) => string | undefined,
): string | undefined {
  return (
    fasterOf(header('x-amzn-bedrock-performanceconfig-latency')) ??
    tierNamed(header('x-amzn-bedrock-service-tier')) ??
    tierNamed(header('x-gemini-service-tier'))
  )
}

/** `fast` (Anthropic), `optimized` (Bedrock); undefined: as always. */
function fasterOf(speed: unknown): string | undefined {
  const tier = tierNamed(speed)
  return isStandard(tier) ? undefined : tier
}
