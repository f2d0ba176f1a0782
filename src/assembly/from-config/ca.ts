/** The CA's slice of the configuration, as `ca/` wants it: the same for service and commands. */
import type { CaSettings } from '../../../ca/ca-files.js'
import type { Config } from '../../../config/schema.js'
import { issuedNamesOf } from './pipeline.js'

const DAY_MS = 86_400_000

export function caSettingsOf(
  config: Config,
): Omit<CaSettings, 'clock'> & { readonly issuedNames: readonly string[] } {
  const { ca } = config
  return {
    directory: ca.directory,
    issuedNames: issuedNamesOf(config),
    permitted: ca.permitted,
    ...(ca.passphrase === undefined ? {} : { passphrase: ca.passphrase }),
    profile: {
      organization: ca.organization,
      rootLifeMs: ca.root_days * DAY_MS,
      issuingLifeMs: ca.issuing_days * DAY_MS,
      leafLifeMs: ca.leaf_days * DAY_MS,
      constrained: ca.name_constraints === 'list',
    },
  }
}

/** Where a program on this machine finds the proxy: the first address, loopback for any. */
export function proxyUrlOf(config: Config): string {
  const [first = '127.0.0.1:8443'] = config.listen
  return `http://${first.replace(/^(0\.0\.0\.0|\*):/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')}`
}
