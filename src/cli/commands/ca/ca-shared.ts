/** What the parts of `yori ca` share: their world, their flags, reading and writing files. */
import { readFile, stat } from 'node:fs/promises'
import type { Command } from 'commander'
import type { ManageSettings } from '../../../../ca/manage.js'
import type { CaOptions } from '../../../../ca/show-ca.js'
import type { Clock } from '../../../core/clock.js'
import { YoriError } from '../../../core/errors.js'
import { Secret } from '../../../core/secret.js'
import type { CaProfile } from '../../../../ca/profile.js'
import { askSecret } from '../../ask.js'

/** The CA's slice of the configuration. */
export interface CaCommandOptions extends CaOptions {
  readonly passphrase?: Secret
  readonly profile?: Partial<CaProfile>
}

export interface CaCommandDeps {
  /** The path is `--config`'s, when given. */
  caOptions(configPath: string | undefined): Promise<CaCommandOptions>
  readonly clock: Clock
  /** What was asked for: standard output. */
  print(output: string | Uint8Array): void
  /** What a person should know besides: standard error. */
  note(text: string): void
  /** What programs are told by already; nothing when left out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where YORI keeps who trusts it. */
  stateDir?(configPath: string | undefined): string
  /** The zone in which people read times; the system's when left out. */
  zone?(configPath: string | undefined): string | undefined
  /** Asks for a passphrase; undefined when nobody is there. The terminal's when left out. */
  ask?(question: string): Promise<Secret | undefined>
}

export interface CommonFlags {
  readonly config?: string
  readonly json?: true
}

export interface KeyFlags extends CommonFlags {
  readonly rootKey?: string
  readonly passphraseFile?: string
}

const MAX_INPUT_BYTES = 262_144

export function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print for programs')
}

export function printJson(deps: CaCommandDeps, value: unknown): void {
  deps.print(`${JSON.stringify(value, undefined, 2)}\n`)
}

/**
 * The settings for a change that may need the passphrase: from the flag, else from the
 * configuration, else a person is asked when `sealed`.
 */
export async function settingsFor(
  deps: CaCommandDeps,
  flags: KeyFlags,
  sealed: (options: CaCommandOptions) => Promise<boolean>,
): Promise<ManageSettings> {
  const options = await deps.caOptions(flags.config)
  const settings: ManageSettings = { ...options, clock: deps.clock }
  if (flags.passphraseFile !== undefined && options.passphrase !== undefined)
    throw new YoriError(
      'YORI_CA_PASSPHRASE',
      'the configuration gives the passphrase: leave --passphrase-file out',
    )
  if (flags.passphraseFile !== undefined)
    return {
      ...settings,
      passphrase: await passphraseIn(flags.passphraseFile),
      attended: true,
    }
  if (options.passphrase !== undefined || !(await sealed(options))) return settings
  const question = 'Passphrase of the root key: '
  const passphrase = await (deps.ask?.(question) ?? askSecret(question))
  return passphrase === undefined ? settings : { ...settings, passphrase, attended: true }
}

/** The first line of a file that only its owner may read. YORI_CA_KEY_EXPOSED. */
export async function passphraseIn(path: string): Promise<Secret> {
  await refuseShared(path)
  const [line = ''] = (await textOf(path)).split(/\r?\n/, 1)
  if (line === '') throw new YoriError('YORI_CA_PASSPHRASE', `${path} has no first line`)
  return new Secret(line)
}

/** A private key that an operator gives. YORI_CA_KEY_EXPOSED when others may read the file. */
export async function keyIn(path: string): Promise<string> {
  await refuseShared(path)
  return textOf(path)
}

export async function textOf(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_INPUT_BYTES) throw new Error('it is too large')
    return await readFile(path, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : (code ?? message)
    throw new YoriError('YORI_CA_UNUSABLE', `cannot read ${path}: ${why}`, { cause })
  }
}

async function refuseShared(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || (found.mode & 0o077) === 0) return
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0')
  throw new YoriError(
    'YORI_CA_KEY_EXPOSED',
    `${path} has mode ${mode}, so that others could read it. Mend it with: chmod 0600 '${path.replaceAll("'", `'\\''`)}'`,
  )
}
