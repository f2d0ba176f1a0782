/** Who trusts us: each device, under the root in force and the one that is staged. */
import { findCa } from '../../../ca/show-ca.js'
import { printable } from '../../audit/printable.js'
import { momentText } from '../../core/moment-text.js'
import { nameOfDevice, readinessOf, trustsNow } from '../../core/trust.js'
import type { Readiness, TrustEntry } from '../../core/trust.js'
import { readTrust, trustPath } from '../../net/trust-file.js'
import { cell, table } from '../print-table.js'
import { householdNames } from './household-names.js'
import type { Finding, StatusSection } from './status-section.js'

/** More are in `--json`. */
const MOST_SHOWN = 40

export const trustSection: StatusSection = {
  name: 'who trusts us',
  async read({ config, clock }): Promise<Finding> {
    const ca = await findCa(config.ca.directory, clock)
    const entries = await readTrust(trustPath(config.state_dir))
    const root = ca?.root.x509.fingerprint256
    const next = ca?.next?.x509.fingerprint256
    const { timezone } = config.enforcement
    const readiness = readinessOf(entries, root, next)
    const { present, notReady } = readiness
    const refusing = present.some((entry) => !trustsNow(entry))
    return {
      level: refusing || notReady.length > 0 ? 'notice' : 'good',
      facts: {
        root: root ?? null,
        staged: next ?? null,
        devices: present,
        stagedDevices: readiness.staged,
        notReady: notReady.map(({ device }) => device),
      },
      lines: [
        ...devices(present, householdNames(config, clock.now()), timezone),
        ...(next === undefined ? [] : staged(next, readiness)),
      ],
    }
  },
}

function* devices(
  entries: readonly TrustEntry[],
  names: ReadonlyMap<string, string>,
  zone: string | undefined,
): Iterable<string> {
  if (entries.length === 0) {
    yield 'no device has met the certificate yet'
    return
  }
  const head = ['device', 'trusted', 'turned away', 'why']
  const rows = entries
    .slice(0, MOST_SHOWN)
    .map((entry) => [
      cell(called(entry, names)),
      when(entry.trustedAt, entry.trustedName, zone),
      when(entry.refusedAt, entry.refusedName, zone),
      cell(entry.refusedCause ?? ''),
    ])
  for (const line of table(head, rows)) yield line.trimEnd()
  const more = entries.length - MOST_SHOWN
  if (more > 0) yield `and ${more} more, in --json`
}

function* staged(next: string, { ready, notReady }: Readiness): Iterable<string> {
  yield ''
  yield `staged root ${next}: ${ready.length} ready, ${notReady.length} not`
  if (notReady.length === 0) return
  const shown = notReady.slice(0, MOST_SHOWN).map(nameOfDevice).map(printable)
  yield `not ready: ${shown.join(', ')}`
  yield 'a device shows that it is ready by the test of the new certificate on the trust page, or `yori ca trust-check --next`'
}

/** By the household's name, else by its own. */
function called(entry: TrustEntry, names: ReadonlyMap<string, string>): string {
  const name = names.get(entry.device) ?? names.get(entry.ip)
  return name === undefined ? nameOfDevice(entry) : `${name} (${entry.device})`
}

function when(
  atMs: number | undefined,
  name: string | undefined,
  zone: string | undefined,
): string {
  if (atMs === undefined) return '-'
  return cell(`${momentText(atMs, zone)} ${name ?? ''}`)
}
