/** `yori ca export` and `yori ca import`: what leaves the CA's folder and what comes in. */
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import { derOf, renderVariables, shells, systemRoots } from '../../../../ca/export.js'
import { trustBundle, trustVariables } from '../../../../ca/export.js'
import type { Shell } from '../../../../ca/export.js'
import { bringRootKeyBack, importRoot } from '../../../../ca/manage.js'
import { rootKeyForExport, takeRootKeyAway } from '../../../../ca/manage.js'
import { mobileconfig } from '../../../../ca/mobileconfig.js'
import { trustStore } from '../../../../ca/pkcs12.js'
import { defaultProfile } from '../../../../ca/profile.js'
import { readCa } from '../../../../ca/show-ca.js'
import { YoriError } from '../../../core/errors.js'
import { unreachable } from '../../../core/unreachable.js'
import { installRoot } from './ca-install.js'
import type { InstallDeps, InstallFlags } from './ca-install.js'
import { besidePresent, writeTrustFiles } from '../../../../ca/trust-files.js'
import { common, keyIn, passphraseIn, printJson } from './ca-shared.js'
import { usageError } from '../../usage.js'
import { saveFile } from '../../../../ca/save-file.js'
import { textOf } from './ca-shared.js'
import type { CaCommandDeps, CaCommandOptions, KeyFlags } from './ca-shared.js'

const formats = ['pem', 'der', 'bundle', 'env', 'p12', 'mobileconfig'] as const
type Format = (typeof formats)[number]

interface ExportFlags extends Omit<KeyFlags, 'rootKey'>, InstallFlags {
  readonly format: Format
  readonly shell: Shell
  readonly storePassword: string
  readonly signWith?: string
  readonly next?: true
  readonly out?: string
  readonly force?: true
  readonly trustDir?: string
  readonly rootKey?: true
  readonly remove?: true
}

interface ImportFlags extends KeyFlags {
  readonly cert?: string
  readonly key?: string
}

export function addExport(ca: Command, deps: InstallDeps): void {
  common(ca.command('export'))
    .description('the root certificate for devices and programs')
    .addOption(
      new Option('--format <format>', 'the form').choices(formats).default('pem'),
    )
    .addOption(
      new Option('--shell <shell>', 'env: for which').choices(shells).default('sh'),
    )
    .option('--next', 'the staged root instead of the present one')
    .option('--out <file>', 'write there instead of to standard output')
    .option('--force', 'overwrite the file')
    .option('--trust-dir <dir>', 'env: where the files that it names are written')
    .option('--sign-with <cert,key>', 'mobileconfig: sign it by these PEM files')
    .option('--store-password <text>', 'p12: its password; it hides nothing', 'changeit')
    .addOption(
      new Option(
        '--install',
        'make this machine trust it: shows each step, then asks',
      ).conflicts(['out', 'rootKey', 'uninstall']),
    )
    .addOption(
      new Option('--uninstall', 'take it out of this machine’s stores again').conflicts([
        'out',
        'rootKey',
      ]),
    )
    .option('--yes', '--install, --uninstall: do not ask')
    .option('--dry-run', '--install, --uninstall: only show the steps')
    .option('--sysroot <dir>', '--install, --uninstall: another system’s root folder')
    .option('--root-key', 'the root key, encrypted, into --out')
    .option('--remove', '--root-key: and take it off this machine')
    .option('--passphrase-file <file>', '--root-key: its first line encrypts the key')
    .action((flags: ExportFlags) =>
      flags.uninstall === true
        ? installRoot(deps, flags, undefined)
        : flags.rootKey === true
          ? exportKey(deps, flags)
          : exportRoot(deps, flags),
    )
}

export function addImport(ca: Command, deps: CaCommandDeps): void {
  common(ca.command('import'))
    .description('a root from elsewhere, or the root key on its way back')
    .option('--cert <file>', 'the certificate, PEM')
    .option('--key <file>', 'its private key, PEM')
    .option('--root-key <file>', 'the root key that was taken away, PEM')
    .option('--passphrase-file <file>', 'its first line opens the key')
    .action((flags: ImportFlags) => importFiles(deps, flags))
}

async function exportRoot(deps: InstallDeps, flags: ExportFlags): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const ca = await readCa(options.directory, deps.clock)
  const certificate = flags.next === true ? ca.next : ca.root
  if (certificate === undefined)
    throw new YoriError('YORI_CA_MISSING', 'no root is staged: `yori ca rotate --root`')
  if (flags.install === true) {
    const sha256 = certificate.x509.fingerprint256
    const { directory } = options
    return installRoot(deps, flags, { pem: certificate.pem, sha256, directory })
  }
  if (flags.signWith !== undefined && flags.format !== 'mobileconfig')
    throw usageError('--sign-with goes with --format mobileconfig')
  const output = await exported(deps, flags, { pem: certificate.pem, options })
  if (flags.out === undefined) {
    deps.print(output)
    return
  }
  await saveFile(flags.out, output, { overwrite: flags.force === true })
  written(deps, flags, flags.out)
}

async function exported(
  deps: CaCommandDeps,
  flags: ExportFlags,
  { pem, options }: { pem: string; options: CaCommandOptions },
): Promise<string | Uint8Array> {
  switch (flags.format) {
    case 'pem':
      return pem
    case 'der':
      return derOf(pem)
    case 'bundle':
      return trustBundle(pem, await systemRoots())
    case 'env':
      return environment(deps, flags, { pem, directory: options.directory })
    case 'p12': {
      const password = flags.storePassword
      const trusted = [{ alias: 'yori', der: derOf(pem) }]
      return trustStore(trusted, { password, random: randomBytes })
    }
    case 'mobileconfig': {
      const owner = options.profile?.organization ?? defaultProfile.organization
      return signedOr(mobileconfig(derOf(pem), owner), flags.signWith)
    }
    default:
      return unreachable(flags.format)
  }
}

async function signedOr(
  profile: string | Uint8Array,
  files: string | undefined,
): Promise<string | Uint8Array> {
  if (files === undefined) return profile
  const [certificate = '', key = '', ...more] = files.split(',')
  if (certificate === '' || key === '' || more.length > 0)
    throw usageError('--sign-with takes two files: CERT,KEY')
  const { signedProfile } = await import('../../../../ca/sign-profile.js')
  return signedProfile(profile, { certificate, key })
}

async function environment(
  deps: CaCommandDeps,
  flags: ExportFlags,
  { pem, directory }: { pem: string; directory: string },
): Promise<string> {
  const folder = resolve(flags.trustDir ?? join(directory, 'trust'))
  const files = await writeTrustFiles(folder, pem)
  const { rootFile, bundleFile } = files
  const trust = { folder, rootPem: pem, present: deps.env ?? {} }
  const variables = await besidePresent(trustVariables(files), trust)
  const others = new Set(variables.map(([, file]) => file))
  for (const file of [rootFile, bundleFile]) others.delete(file)
  const more = [...others].map((file) => ` and ${file}`).join('')
  deps.note(`Wrote ${rootFile} and ${bundleFile}${more}, which the variables name.\n`)
  return renderVariables(variables, flags.shell)
}

/** The copy is safely written before the key is taken away. */
async function exportKey(deps: CaCommandDeps, flags: ExportFlags): Promise<void> {
  const { out, passphraseFile } = flags
  if (out === undefined) throw usageError('the root key goes into a file: give --out')
  const options = await deps.caOptions(flags.config)
  const given =
    passphraseFile === undefined ? undefined : await passphraseIn(passphraseFile)
  const settings = { ...options, clock: deps.clock }
  const passphrase = given ?? options.passphrase
  const pem = await rootKeyForExport(settings, passphrase)
  await saveFile(out, pem, { overwrite: flags.force === true, mode: 0o600 })
  if (flags.remove === true) {
    const opening = passphrase === undefined ? settings : { ...settings, passphrase }
    const ca = await takeRootKeyAway(opening)
    deps.note(
      `The root key is not on this machine any more. Keep ${out} safe: without it the CA ends at ${ca.issuing.certificate.x509.validTo}.\n` +
        `To renew: \`yori ca rotate --root-key ${out}\`; to bring it back: \`yori ca import --root-key ${out}\`.\n`,
    )
  }
  written(deps, flags, out)
}

async function importFiles(deps: CaCommandDeps, flags: ImportFlags): Promise<void> {
  const settings = await deps.caOptions(flags.config)
  const all = { ...settings, clock: deps.clock }
  const { passphraseFile, rootKey, cert, key } = flags
  const passphrase =
    passphraseFile === undefined ? undefined : await passphraseIn(passphraseFile)
  if (rootKey !== undefined) {
    const pem = await keyIn(rootKey)
    const ca = await bringRootKeyBack(all, { pem, path: rootKey, passphrase })
    if (flags.json === true) printJson(deps, { kind: 'root-key', rootKey: ca.rootKey })
    else deps.print('The root key is back. `yori ca rotate` makes an issuing CA by it.\n')
    return
  }
  if (cert === undefined || key === undefined)
    throw usageError('give --cert and --key, or --root-key')
  const given = { pem: await keyIn(key), path: key, passphrase }
  const result = await importRoot(all, { pem: await textOf(cert), path: cert }, given)
  const sha256 = (result.ca.next ?? result.ca.root).x509.fingerprint256
  if (flags.json === true) {
    printJson(deps, { kind: result.kind, sha256 })
    return
  }
  deps.print(
    result.kind === 'made'
      ? `The CA uses this root now.\n  SHA-256     ${sha256}\n`
      : `There is a CA already, so this root is staged.\n  SHA-256     ${sha256}\nWhen every device trusts it: \`yori ca rotate --root --activate\`.\n`,
  )
}

function written(deps: CaCommandDeps, flags: ExportFlags, out: string): void {
  if (flags.json === true) printJson(deps, { written: resolve(out) })
  else deps.note(`Wrote ${out}\n`)
}
