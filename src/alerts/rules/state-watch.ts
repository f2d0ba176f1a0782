/**
 * How YORI and its machine stand, looked at every few seconds: CA, record, disk, and devices
 * that trusted and do so no more. Tells a state when it begins; while it lasts it is told again
 * as often as the cool-down of its rule lets it.
 */
import { statfs } from 'node:fs/promises'
import type { CaCondition } from '../../../ca/condition.js'
import type { AuditStore } from '../../audit/store.js'
import type { EventRecord } from '../../core/record.js'
import { HELD_EVENT } from '../../household/holds.js'
import { nameOfDevice, trustsNow } from '../../core/trust.js'
import type { TrustEntry } from '../../core/trust.js'
import { alertDevice } from './rule.js'
import type { Happened, Tell } from './rule.js'

const LOOK_EVERY_MS = 5_000
const DISK_EVERY_MS = 60_000
/** Less than this is free, or this share of the whole. */
const LEAST_FREE_BYTES = 256 * 2 ** 20
const LEAST_FREE_SHARE = 0.02
/** As the ledger of trust has at most. */
const MOST_TRUSTING = 1_024

export interface Disk {
  readonly freeBytes: number
  readonly allBytes: number
}

/** What is looked at; each as the appliance knows it now. */
export interface Watchable {
  readonly ca: () => CaCondition
  readonly audit: () => Pick<AuditStore, 'health' | 'dropped'>
  readonly trust: () => readonly TrustEntry[]
  readonly root: () => string
  readonly folder: string
  /** For tests: in place of asking the system. */
  readonly disk?: (folder: string) => Promise<Disk>
}

export class StateWatch {
  readonly #tell: Tell
  readonly #on: Watchable
  #nextLook = -Infinity
  #nextDisk = -Infinity
  #dropped = 0
  #trusting: ReadonlySet<string> = new Set()
  #asking: Promise<void> | undefined

  constructor(on: Watchable, tell: Tell) {
    this.#on = on
    this.#tell = tell
    this.#dropped = on.audit().dropped
  }

  /** For tests: when the disk has been asked about. */
  async settled(): Promise<void> {
    await this.#asking
  }

  tick(monotonicMs: number): void {
    if (monotonicMs >= this.#nextDisk) {
      this.#nextDisk = monotonicMs + DISK_EVERY_MS
      this.#asking ??= this.#lookAtDisk().finally(() => (this.#asking = undefined))
    }
    if (monotonicMs < this.#nextLook) return
    this.#nextLook = monotonicMs + LOOK_EVERY_MS
    this.#lookAtCa()
    this.#lookAtRecord()
    this.#lookAtTrust()
  }

  /** Of the record of events. */
  event({ kind, details }: EventRecord): void {
    if (kind === HELD_EVENT) this.#tell(heldCall(details))
    if (kind !== 'steering_off') return
    const cause = wordOf(details['cause'])
    this.#tell({
      rule: 'steering_off',
      reason: `traffic is not led through YORI: ${cause}`,
      metadata: { since: wordOf(details['from']), cause },
    })
  }

  #lookAtCa(): void {
    const found = this.#on.ca()
    if (found.kind === 'good') return
    const says = found.kind === 'unusable' ? 'cannot be used' : 'is due for renewal'
    this.#tell({
      rule: 'ca',
      policy: found.kind,
      reason: `the CA ${says}: ${found.reason}`,
      metadata: { condition: found.kind },
    })
  }

  #lookAtRecord(): void {
    const { health, dropped } = this.#on.audit()
    if (health.kind === 'degraded') {
      const isDisk = health.trouble === 'full'
      this.#tell({
        rule: isDisk ? 'disk' : 'audit_loss',
        reason: isDisk
          ? 'the disk is full: the record cannot be written'
          : `the record cannot be written: ${health.trouble}`,
        metadata: { trouble: health.trouble, dropped },
      })
    }
    const more = dropped - this.#dropped
    this.#dropped = dropped
    if (more <= 0) return
    this.#tell({
      rule: 'audit_loss',
      policy: 'dropped',
      reason: `${more} rows of the record were dropped`,
      metadata: { rows: more, dropped },
    })
  }

  #lookAtTrust(): void {
    const root = this.#on.root()
    const entries = this.#on.trust().filter((entry) => entry.root === root)
    for (const entry of entries) {
      if (trustsNow(entry) || !this.#trusting.has(entry.device)) continue
      const { device, ip, hostname, refusedName, refusedCause } = entry
      const name = hostname === undefined ? {} : { hostname }
      this.#tell({
        rule: 'untrusted',
        device: { id: device, ip, ...name },
        reason: `${nameOfDevice(entry)} trusted our root and turned it away now (${refusedCause ?? 'no cause given'})`,
        metadata: refusedName === undefined ? {} : { endpoint: refusedName },
      })
    }
    const trusting = entries.filter(trustsNow).slice(0, MOST_TRUSTING)
    this.#trusting = new Set(trusting.map(({ device }) => device))
  }

  async #lookAtDisk(): Promise<void> {
    const { folder, disk = askSystem } = this.#on
    const { freeBytes, allBytes } = await disk(folder).catch(() => NOT_KNOWN)
    const least = Math.max(LEAST_FREE_BYTES, allBytes * LEAST_FREE_SHARE)
    if (freeBytes >= Math.min(least, allBytes / 2)) return
    const free = Math.round(freeBytes / 2 ** 20)
    this.#tell({
      rule: 'disk',
      policy: 'space',
      reason: `${free} MiB are free where YORI keeps its record`,
      metadata: { free_mib: free },
    })
  }
}

const wordOf = (value: unknown): string => (typeof value === 'string' ? value : 'unknown')

const NOT_KNOWN: Disk = { freeBytes: Infinity, allBytes: 0 }

async function askSystem(folder: string): Promise<Disk> {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { freeBytes: bavail * bsize, allBytes: blocks * bsize }
}

/** It waits: somebody asks, and has to be answered soon. */
function heldCall(details: EventRecord['details']): Happened {
  const { ip, mac, hostname } = details['device'] as Record<string, string | null>
  const device = {
    ip: ip ?? '',
    ...(typeof mac === 'string' ? { mac } : {}),
    ...(typeof hostname === 'string' ? { hostname } : {}),
  }
  return {
    rule: 'ask',
    device: alertDevice(device),
    policy: wordOf(details['policy']),
    reason: `waits for an answer: ${wordOf(details['reason'])}`,
    metadata: {
      request_id: wordOf(details['requestId']),
      endpoint: wordOf(details['endpoint']),
      code: wordOf(details['code']),
      until: wordOf(details['until']),
      action: 'hold',
    },
  }
}
