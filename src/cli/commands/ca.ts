/**
 * `yori ca`: the certificate authority from the command line. Talks to `ca/`; what the
 * configuration says arrives as `CaOptions`. Errors are YoriErrors, which the entry prints.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { openAuthority } from '../../../ca/authority.js'
import { derOf, renderVariables, systemRoots } from '../../../ca/export.js'
import { trustBundle, trustVariables } from '../../../ca/export.js'
import { describeCa, findCa, readCa, summarise } from '../../../ca/show.js'
import type { CaOptions } from '../../../ca/show.js'
import type { Clock } from '../../core/clock.js'
import { YoriError } from '../../core/errors.js'
import type { Secret } from '../../core/secret.js'
import { unreachable } from '../../core/unreachable.js'

export interface CaCommandDeps {
  /** The CA's slice of the configuration; the path is `--config`'s, when given. */
  caOptions(
    configPath: string | undefined,
  ): Promise<CaOptions & { readonly passphrase?: Secret }>
  readonly clock: Clock
  /** What was asked for: standard output. */
  print(output: string | Uint8Array): void
  /** What a person should know besides: standard error. */
  note(text: string): void
}

interface CommonFlags {
  readonly config?: string
  readonly json?: true
}

interface ExportFlags extends CommonFlags {
  readonly format: ExportFormat
  readonly out?: string
  readonly force?: true
  readonly trustDir?: string
}

const exportFormats = ['pem', 'der', 'env'] as const
type ExportFormat = (typeof exportFormats)[number]

export function caCommand(deps: CaCommandDeps): Command {
  const ca = new Command('ca').description('the certificate authority that devices trust')
  common(ca.command('init'))
    .description('make the CA now; does nothing when there is one')
    .action((flags: CommonFlags) => init(deps, flags))
  common(ca.command('show'))
    .description('subjects, fingerprints, validity, and what each certificate can sign')
    .action((flags: CommonFlags) => show(deps, flags))
  common(ca.command('export'))
    .description('the root certificate for devices and programs')
    .addOption(
      new Option('--format <format>', 'the form').choices(exportFormats).default('pem'),
    )
    .option('--out <file>', 'write there instead of to standard output')
    .option('--force', 'overwrite the file')
    .option('--trust-dir <dir>', 'env: where the files that it names are written')
    .action((flags: ExportFlags) => exportRoot(deps, flags))
  return ca
}

function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print for programs')
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
    deps.print('Next: `yori ca export --out yori-root.pem`, and trust that file.\n')
}

async function show(deps: CaCommandDeps, flags: CommonFlags): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const ca = await readCa(options.directory, deps.clock)
  const summary = summarise(ca, options, deps.clock.now())
  if (flags.json === true) printJson(deps, summary)
  else deps.print(describeCa(summary))
}

async function exportRoot(deps: CaCommandDeps, flags: ExportFlags): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const { pem } = (await readCa(options.directory, deps.clock)).root
  const output = await exported(deps, flags, { pem, directory: options.directory })
  if (flags.out === undefined) {
    deps.print(output)
    return
  }
  await save(flags.out, output, flags.force === true)
  if (flags.json === true) printJson(deps, { written: resolve(flags.out) })
  else deps.note(`Wrote ${flags.out}\n`)
}

async function exported(
  deps: CaCommandDeps,
  flags: ExportFlags,
  ca: { pem: string; directory: string },
): Promise<string | Uint8Array> {
  switch (flags.format) {
    case 'pem':
      return ca.pem
    case 'der':
      return derOf(ca.pem)
    case 'env': {
      const folder = resolve(flags.trustDir ?? join(ca.directory, 'trust'))
      const rootFile = join(folder, 'yori-root.pem')
      const bundleFile = join(folder, 'yori-bundle.pem')
      await mkdir(folder, { recursive: true, mode: 0o755 })
      await save(rootFile, ca.pem, true)
      await save(bundleFile, trustBundle(ca.pem, await systemRoots()), true)
      deps.note(`Wrote ${rootFile} and ${bundleFile}, which the variables name.\n`)
      return renderVariables(trustVariables({ rootFile, bundleFile }), 'sh')
    }
    default:
      return unreachable(flags.format)
  }
}

async function save(
  path: string,
  content: string | Uint8Array,
  overwrite: boolean,
): Promise<void> {
  try {
    await writeFile(path, content, { flag: overwrite ? 'w' : 'wx', mode: 0o644 })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why =
      code === 'EEXIST'
        ? 'it is there already; --force overwrites it'
        : (code ?? 'failed')
    throw new YoriError('YORI_CA_UNUSABLE', `cannot write ${path}: ${why}`, { cause })
  }
}

function printJson(deps: CaCommandDeps, value: unknown): void {
  deps.print(`${JSON.stringify(value, undefined, 2)}\n`)
}
