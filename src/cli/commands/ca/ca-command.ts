/**
 * `yori ca`: the certificate authority from the command line. Talks to `ca/`; what the
 * configuration says arrives as options. Errors are YoriErrors, which the entry prints.
 */
import { Command } from 'commander'
import { openAuthority } from '../../../../ca/authority.js'
import { describeCa, findCa, readCa, summarise } from '../../../../ca/show-ca.js'
import { addExport, addImport } from './ca-export.js'
import type { InstallDeps } from './ca-install.js'
import { addIssue } from './ca-issue.js'
import { addRotate } from './ca-rotate.js'
import { common, printJson } from './ca-shared.js'
import type { CaCommandDeps, CommonFlags } from './ca-shared.js'
import { addTrustCheck } from './ca-trust-check.js'
import { addTrustList } from './ca-trust-list.js'
import type { TrustListDeps } from './ca-trust-list.js'
import type { TrustCheckDeps } from './ca-trust-check.js'

export type { CaCommandDeps } from './ca-shared.js'

export function caCommand(deps: InstallDeps & TrustCheckDeps & TrustListDeps): Command {
  const ca = new Command('ca').description('the certificate authority that devices trust')
  common(ca.command('init'))
    .description('make the CA now; does nothing when there is one')
    .action((flags: CommonFlags) => init(deps, flags))
  common(ca.command('show'))
    .description('subjects, fingerprints, validity, and what each certificate can sign')
    .action((flags: CommonFlags) => show(deps, flags))
  addExport(ca, deps)
  addRotate(ca, deps)
  addImport(ca, deps)
  addIssue(ca, deps)
  addTrustCheck(ca, deps)
  addTrustList(ca, deps)
  return ca
}

async function init(deps: CaCommandDeps, flags: CommonFlags): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const found = (await findCa(options.directory, deps.clock)) !== undefined
  if (!found) await openAuthority({ ...options, clock: deps.clock })
  const ca = await readCa(options.directory, deps.clock)
  const sha256 = ca.root.x509.fingerprint256
  if (flags.json === true) {
    printJson(deps, { created: !found, directory: options.directory, sha256 })
    return
  }
  deps.print(
    found
      ? `There is a CA in ${options.directory} already; nothing was changed.\n`
      : `Made a CA in ${options.directory}.\n`,
  )
  deps.print(`Root fingerprint (SHA-256): ${sha256}\n`)
  if (!found)
    deps.print(
      'Next: `yori ca export --install` for this machine; other devices open the trust page of a running YORI, http://this-machine:8443/.\n',
    )
}

async function show(deps: CaCommandDeps, flags: CommonFlags): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const ca = await readCa(options.directory, deps.clock)
  const summary = summarise(ca, options, deps.clock.now())
  if (flags.json === true) printJson(deps, summary)
  else deps.print(describeCa(summary, deps.zone?.(flags.config)))
}
