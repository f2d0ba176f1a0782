/** `yori ca trust list`: of all devices that are known here, who trusts us, and who is missing. */
import type { Command } from 'commander'
import { findCa } from '../../../../ca/show-ca.js'
import { printable } from '../../../audit/printable.js'
import { momentText } from '../../../core/moment-text.js'
import { nameOfDevice, readinessOf, trustsNow } from '../../../core/trust.js'
import { readTrust, trustPath } from '../../../net/trust-file.js'
import { common, printJson } from './ca-shared.js'
import type { CaCommandDeps, CommonFlags } from './ca-shared.js'

export interface TrustListDeps extends CaCommandDeps {
  readonly stateDir?: (configPath: string | undefined) => string
  /** Devices that the household has named, by MAC or address. */
  readonly names?: (configPath: string | undefined) => ReadonlyMap<string, string>
}

interface Line {
  readonly device: string
  readonly name: string
  readonly state: 'trusts' | 'refuses' | 'not seen'
  readonly says: string
}

export function addTrustList(ca: Command, deps: TrustListDeps): void {
  const trust = ca.command('trust').description('who trusts the root')
  common(trust.command('list'))
    .description('every known device: who trusts the root, and who is missing')
    .option('--missing', 'only those that do not')
    .action((flags: CommonFlags & { missing?: true }) => list(deps, flags))
}

async function list(
  deps: TrustListDeps,
  flags: CommonFlags & { missing?: true },
): Promise<void> {
  const { directory } = await deps.caOptions(flags.config)
  deps.note('yori: told from the files\n')
  const ca = await findCa(directory, deps.clock)
  const stateDir = deps.stateDir?.(flags.config) ?? ''
  const { present } = readinessOf(
    await readTrust(trustPath(stateDir)),
    ca?.root.x509.fingerprint256,
    ca?.next?.x509.fingerprint256,
  )
  const names = deps.names?.(flags.config) ?? new Map<string, string>()
  const met = new Set(present.flatMap(({ device, ip }) => [device, ip]))
  const zone = deps.zone?.(flags.config)
  const lines: Line[] = [
    ...present.map((entry): Line => {
      const isTrusting = trustsNow(entry)
      const at = isTrusting ? entry.trustedAt : entry.refusedAt
      const cause = isTrusting ? '' : ` ${entry.refusedCause ?? ''}`
      return {
        device: entry.device,
        name: names.get(entry.device) ?? names.get(entry.ip) ?? nameOfDevice(entry),
        state: isTrusting ? 'trusts' : 'refuses',
        says: at === undefined ? '' : `${momentText(at, zone)}${cause}`,
      }
    }),
    ...[...names]
      .filter(([id]) => !met.has(id))
      .map(([device, name]): Line => ({ device, name, state: 'not seen', says: '' })),
  ]
  const shown = lines.filter(({ state }) => flags.missing !== true || state !== 'trusts')
  const missing = lines.filter(({ state }) => state !== 'trusts').length
  if (flags.json === true) {
    printJson(deps, { devices: shown, missing, known: lines.length })
    return
  }
  for (const { device, name, state, says } of shown)
    deps.print(
      `${state.padEnd(9)}${printable(name)} (${printable(device)}) ${printable(says)}`.trimEnd() +
        '\n',
    )
  deps.print(`${missing} of ${lines.length} known devices are missing\n`)
}
