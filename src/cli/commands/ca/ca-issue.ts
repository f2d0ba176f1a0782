/** `yori ca issue` and `yori ca take`: one root, an issuing CA for each of several gateways. */
import type { Command } from 'commander'
import { join } from 'node:path'
import { ISSUED_DAYS, issueFor, takeIssued } from '../../../../ca/issue-for.js'
import type { IssuedTexts } from '../../../../ca/issue-for.js'
import { saveFile } from '../../../../ca/save-file.js'
import { findCa, summarise } from '../../../../ca/show-ca.js'
import { printable } from '../../../audit/printable.js'
import { YoriError } from '../../../core/errors.js'
import { makeFolder } from '../../../core/make-folder.js'
import { usageError } from '../../usage.js'
import { common, keyIn, printJson, settingsFor, textOf } from './ca-shared.js'
import type { CaCommandDeps, CommonFlags, KeyFlags } from './ca-shared.js'

const FOLDER_MODE = 0o700
const KEY_MODE = 0o600

interface IssueFlags extends KeyFlags {
  readonly for: string
  readonly out: string
  readonly days: string
  readonly permit?: readonly string[]
  readonly force?: true
}

export function addIssue(ca: Command, deps: CaCommandDeps): void {
  common(ca.command('issue'))
    .description('an issuing CA for another gateway under this root, as files')
    .requiredOption('--for <gateway>', 'its name, which stands in the certificate')
    .requiredOption('--out <dir>', 'where certificate and key go; made, mode 0700')
    .option('--days <n>', 'how long it lives, 3 to 30 days', String(ISSUED_DAYS.most))
    .option('--permit <name...>', 'names it may sign for besides those of this machine')
    .option('--root-key <file>', 'the root key, when it is not on this machine')
    .option('--passphrase-file <file>', 'its first line opens the root key')
    .option('--force', 'overwrite what was issued into that folder before')
    .action((flags: IssueFlags) => issue(deps, flags))
  common(ca.command('take'))
    .description('put an issuing CA in place that was issued for this machine')
    .argument('<dir>', 'the folder that `yori ca issue` filled')
    .action((folder: string, flags: CommonFlags) => take(deps, folder, flags))
}

async function issue(deps: CaCommandDeps, flags: IssueFlags): Promise<void> {
  if (!/^\d{1,3}$/.test(flags.days))
    throw usageError(`--days wants ${ISSUED_DAYS.least} to ${ISSUED_DAYS.most}`)
  const settings = await settingsFor(deps, flags, async ({ directory }) => {
    return (await findCa(directory, deps.clock))?.rootKey === 'sealed'
  })
  const path = flags.rootKey
  const rootKey = path === undefined ? undefined : { pem: await keyIn(path), path }
  const { rootPem, issuing, notPermitted } = await issueFor(settings, {
    gateway: flags.for,
    days: Number(flags.days),
    permit: flags.permit ?? [],
    rootKey,
  })
  const { out } = flags
  try {
    makeFolder(out, FOLDER_MODE)
  } catch (cause) {
    const { code = 'failed' } = cause as NodeJS.ErrnoException
    throw new YoriError('YORI_CA_UNUSABLE', `cannot make ${out}: ${code}`, { cause })
  }
  const overwrite = flags.force === true
  const key = issuing.key.export({ format: 'pem', type: 'pkcs8' }) as string
  await saveFile(join(out, 'issuing.key'), key, { overwrite, mode: KEY_MODE })
  await saveFile(join(out, 'issuing.crt'), issuing.certificate.pem, { overwrite })
  await saveFile(join(out, 'root.crt'), rootPem, { overwrite })
  const { notAfterMs, x509 } = issuing.certificate
  const validUntil = new Date(notAfterMs).toISOString()
  if (flags.json === true) {
    const sha256 = x509.fingerprint256
    printJson(deps, { gateway: flags.for, out, sha256, validUntil, notPermitted })
    return
  }
  deps.print(
    [
      `Issued for ${flags.for}, into ${out}: issuing.crt, issuing.key, root.crt.`,
      `  Subject     ${printable(x509.subject.replaceAll('\n', ', '))}`,
      `  SHA-256     ${x509.fingerprint256}`,
      `  Valid until ${validUntil}`,
      `Next: copy the folder there over a way that nobody reads along, and there`,
      '`yori ca take DIR`; then delete it here and on the way. Before it ends, issue anew.',
      ...(notPermitted.length === 0
        ? []
        : [`Not possible under this root: ${notPermitted.map(printable).join(', ')}`]),
      '',
    ].join('\n'),
  )
}

async function take(
  deps: CaCommandDeps,
  folder: string,
  flags: CommonFlags,
): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const settings = { ...options, clock: deps.clock }
  const at = (name: string): string => join(folder, name)
  const texts: IssuedTexts = {
    root: { text: await textOf(at('root.crt')), path: at('root.crt') },
    issuing: { text: await textOf(at('issuing.crt')), path: at('issuing.crt') },
    key: { text: await keyIn(at('issuing.key')), path: at('issuing.key') },
  }
  const ca = await takeIssued(settings, texts)
  const summary = summarise(ca, options, deps.clock.now())
  if (flags.json === true) {
    printJson(deps, summary)
    return
  }
  const { issuing, names } = summary
  deps.print(
    [
      'Took it; a running YORI takes it within seconds, and devices need to do nothing.',
      `  Issuing CA  ${issuing.sha256}`,
      `  Valid until ${issuing.notAfter}`,
      `  Serves      ${names.served.length} names`,
      ...(names.needNewRoot.length === 0
        ? []
        : [`  Not  ${names.needNewRoot.join(', ')}`]),
      'It cannot renew itself here. Delete the folder that it came in.',
      '',
    ].join('\n'),
  )
}
