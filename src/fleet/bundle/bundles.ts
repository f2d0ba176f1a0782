/**
 * Policies by bundles: asks the server again and again, tries what comes, keeps it and lets it
 * take effect. What does not load leaves the one before, and is said.
 */
import type { Config } from '../../../config/schema.js'
import { loadPolicySet } from '../../assembly/from-config/policy-set.js'
import type { Bundle } from '../../bundle/bundle.js'
import { keptBundle, readKept, rulesOf, sourceOf, writeKept } from '../../bundle/kept.js'
import { BadBundle } from '../../bundle/limits.js'
import type { Clock } from '../../core/clock.js'
import type { Concern } from '../../core/concern.js'
import type { Log } from '../../core/log.js'
import type { Service } from '../../core/service.js'
import { passwordIn } from '../password-file.js'
import { download } from './download.js'

const FIRST_AGAIN_MS = 1_000
/** Between two questions that the server kept until it had something. */
const LEAST_PAUSE_MS = 1_000
/** A server that is away for less is nothing to worry about. */
const CONCERN_MS = 60_000
const MAX_REASON = 500

/** What lets a bundle take effect. */
export interface InForce {
  readonly config: Config
  /** Builds what serves anew, by the configuration of then. @throws as a reload does */
  rebuild(): Promise<void>
}

export interface BundlesOptions {
  readonly inForce: InForce
  readonly clock: Clock
  readonly log: Log
  /** Between 0 and 1, for when to ask; Math.random unless given. */
  readonly chance?: () => number
}

/** Of `/api/status`; moments are UTC. */
export interface BundleShape {
  readonly revision: string | null
  readonly roots: readonly string[]
  readonly verified: boolean
  readonly last_request: string | null
  readonly last_download: string | null
  readonly last_activation: string | null
  readonly error: string | null
}

export interface BundleCounts {
  readonly requests: number
  readonly activations: number
  /** Servers that were away, or answered with something else. */
  readonly failures: number
  /** Bundles that were not taken. */
  readonly refused: number
}

export class Bundles implements Service {
  readonly name = 'bundles'
  readonly #options: BundlesOptions
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined
  #bundle: Bundle | undefined
  #etag: string | null = null
  /** For which policies the kept one was looked at. */
  #lookedFor: Config['policies'] | undefined
  #counts = { requests: 0, activations: 0, failures: 0, refused: 0 }
  #error: { readonly reason: string; readonly isRefused: boolean } | undefined
  #failingSince: number | undefined
  #requestAt: number | undefined
  #downloadAt: number | undefined
  #activationAt: number | undefined

  constructor(options: BundlesOptions) {
    this.#options = options
  }

  get counts(): BundleCounts {
    return this.#counts
  }

  /** Whether the last question ended well. */
  get isUp(): boolean {
    return this.#error === undefined && this.#requestAt !== undefined
  }

  get shape(): BundleShape {
    return {
      revision: this.#bundle?.revision ?? null,
      roots: this.#bundle?.roots ?? [],
      verified: this.#bundle?.isSigned ?? false,
      last_request: moment(this.#requestAt),
      last_download: moment(this.#downloadAt),
      last_activation: moment(this.#activationAt),
      error: this.#error?.reason ?? null,
    }
  }

  get concern(): Concern | undefined {
    if (this.#error === undefined) return undefined
    const rest = this.#bundle === undefined ? 'there is none' : 'the one before serves on'
    if (this.#error.isRefused)
      return { kind: 'bundle', says: `a bundle of policies was refused: ${rest}` }
    const since = this.#options.clock.monotonic() - (this.#failingSince ?? Infinity)
    if (since < CONCERN_MS && this.#bundle !== undefined) return undefined
    return { kind: 'bundle', says: `the server of policies is away: ${rest}` }
  }

  /** Does not wait for the server. */
  async start(): Promise<void> {
    await this.#look()
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    let againMs = FIRST_AGAIN_MS
    while (!this.#stop.signal.aborted) {
      const { poll_seconds: poll } = this.#options.inForce.config.policies.bundle
      const most = poll * 1000
      let pauseMs = most
      try {
        pauseMs = (await this.#ask()) ? Math.min(LEAST_PAUSE_MS, most) : most
        againMs = FIRST_AGAIN_MS
      } catch (cause) {
        if (this.#stop.signal.aborted) return
        this.#failed(cause)
        if (!(cause instanceof BadBundle)) {
          pauseMs = Math.min(againMs, most)
          againMs = Math.min(againMs * 2, most)
        }
      }
      const chance = this.#options.chance?.() ?? Math.random()
      await this.#pause(pauseMs * (0.8 + 0.4 * chance))
    }
  }

  /** True: the server keeps questions, and may be asked again at once. */
  async #ask(): Promise<boolean> {
    await this.#look()
    const { bundle } = this.#options.inForce.config.policies
    const { url, token, token_file: file, long_poll_seconds: wait } = bundle
    if (url === undefined) return false
    this.#counts.requests++
    const found = await download({
      url,
      etag: this.#etag,
      token: file === undefined ? token?.reveal() : passwordIn(file),
      waitSeconds: wait,
      signal: this.#stop.signal,
    })
    this.#requestAt = this.#options.clock.now()
    if (found.kind === 'new') await this.#take(url, found)
    this.#recovered()
    return found.longPoll && wait !== undefined
  }

  /** What is kept, once for each configuration. */
  async #look(): Promise<void> {
    const { policies } = this.#options.inForce.config
    if (this.#lookedFor === policies) return
    this.#lookedFor = policies
    const kept = await keptBundle(policies.bundle)
    this.#bundle = kept.kind === 'ok' ? kept.bundle : undefined
    this.#etag = kept.kind === 'ok' ? kept.head.etag : null
    if (kept.kind === 'ok') this.#downloadAt ??= Date.parse(kept.head.downloaded)
  }

  /** @throws BadBundle with the reason, and then all is as before */
  async #take(
    url: string,
    { packed, etag }: { readonly packed: Buffer; readonly etag: string | null },
  ): Promise<void> {
    const { inForce, clock, log } = this.#options
    const { policies } = inForce.config
    const before = await readKept(policies.bundle)
    const isKnown = this.#bundle !== undefined && before?.packed.equals(packed) === true
    // With it comes the language of policies: 8 MB that no start needs.
    const { readBundle } = await import('../../bundle/bundle.js')
    const bundle = await readBundle(packed, await rulesOf(policies.bundle))
    if (!isKnown) await loadPolicySet(policies, clock, bundle).catch(refused)
    this.#downloadAt = clock.now()
    const downloaded = new Date(this.#downloadAt).toISOString()
    const head = { source: sourceOf(url), etag, downloaded }
    await writeKept(policies.bundle.file, { head, packed })
    if (!isKnown)
      try {
        await inForce.rebuild()
      } catch (cause) {
        await writeKept(policies.bundle.file, before)
        refused(cause)
      }
    this.#bundle = bundle
    this.#etag = etag
    if (isKnown) return
    this.#activationAt = clock.now()
    this.#counts.activations++
    const { revision, isSigned, modules } = bundle
    const fields = { revision, verified: isSigned, files: modules.length }
    log.info(fields, 'a bundle of policies has taken effect')
  }

  #failed(cause: unknown): void {
    const reason = reasonOf(cause)
    const isRefused = cause instanceof BadBundle
    if (isRefused) this.#counts.refused++
    else this.#counts.failures++
    this.#failingSince ??= this.#options.clock.monotonic()
    if (this.#error?.reason !== reason)
      this.#options.log.warn(
        { reason, revision: this.#bundle?.revision ?? null },
        isRefused
          ? 'a bundle of policies was refused: the one before serves on'
          : 'the server of policies did not give a bundle: the one before serves on',
      )
    this.#error = { reason, isRefused }
  }

  #recovered(): void {
    if (this.#error !== undefined)
      this.#options.log.info({}, 'the server of policies is as it should be')
    this.#error = undefined
    this.#failingSince = undefined
  }

  #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      timer.unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function refused(cause: unknown): never {
  throw new BadBundle(reasonOf(cause), { cause })
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, MAX_REASON)
}

function moment(ms: number | undefined): string | null {
  return ms === undefined || Number.isNaN(ms) ? null : new Date(ms).toISOString()
}
