/** `yori bundle build | sign`: packs a folder of policies for many gateways, and signs it. */
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readBundle } from '../../../bundle/bundle.js'
import { BadBundle, BUNDLE_LIMITS } from '../../../bundle/limits.js'
import { bundleKey, SIGNATURES, signFiles } from '../../../bundle/signature.js'
import { readTar, writeTar } from '../../../bundle/tar.js'
import type { TarFile } from '../../../bundle/tar.js'
import type { Clock } from '../../../core/clock.js'
import { YoriError } from '../../../core/errors.js'
import { Command } from '../../commander.js'

export interface BundleArchiveDeps {
  readonly clock: Clock
  readonly print: (text: string) => void
}

interface BuildFlags {
  readonly out: string
  readonly revision?: string
}

interface SignFlags {
  readonly key: string
  readonly keyId?: string
}

export function bundleArchiveCommand(deps: BundleArchiveDeps): Command {
  const command = new Command('bundle').description(
    'one archive of policies for many gateways, as OPA has them',
  )
  command
    .command('build')
    .description('pack *.rego and data.json of a folder')
    .argument('<folder>', 'what is packed, without tests')
    .requiredOption('--out <file>', 'the archive, such as bundle.tar.gz')
    .option('--revision <text>', 'what it is called in logs and in `yori status`')
    .action((folder: string, flags: BuildFlags) => told(() => build(deps, folder, flags)))
  command
    .command('sign')
    .description('put a signature of all its files into an archive')
    .argument('<file>', 'the archive')
    .requiredOption('--key <file>', 'PEM of a private key, or a secret; mode 0600')
    .option('--key-id <text>', 'what the key is called')
    .action((file: string, flags: SignFlags) => told(() => sign(deps, file, flags)))
  return command
}

/** What is wrong with an archive is a wrong use, not a fault of ours. */
async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (!(cause instanceof BadBundle)) throw cause
    throw new YoriError('YORI_CONFIG_INVALID', `the bundle ${cause.message}`, { cause })
  }
}

async function build(
  { print }: BundleArchiveDeps,
  folder: string,
  { out, revision }: BuildFlags,
): Promise<void> {
  const files = filesIn(folder)
  const given = files.find(({ path }) => path === '.manifest')
  if (given !== undefined && revision !== undefined)
    throw new BadBundle('has a .manifest of its own: give no --revision')
  const manifest = `${JSON.stringify({ revision: revision ?? '', roots: ['yori'] })}\n`
  const all =
    given === undefined
      ? [{ path: '.manifest', bytes: Buffer.from(manifest) }, ...files]
      : files
  const packed = gzipSync(writeTar(all))
  const bundle = await readBundle(packed, { roots: ['yori'], key: undefined })
  writeWhole(out, packed)
  print(`${out}: ${bundle.modules.length} files of Rego, ${packed.length} bytes\n`)
}

/** What belongs into a bundle; links are not followed. */
function filesIn(folder: string): TarFile[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
    .filter((path) => /^\.manifest$|\.rego$|(?:^|\/)data\.(?:json|yaml)$/.test(path))
    .filter((path) => !path.endsWith('_test.rego'))
    .sort()
  if (paths.length > BUNDLE_LIMITS.entries)
    throw new BadBundle(`holds more than ${BUNDLE_LIMITS.entries} files`)
  return paths.map((path) => ({ path, bytes: readFileSync(join(folder, path)) }))
}

async function sign(
  { clock, print }: BundleArchiveDeps,
  file: string,
  { key: keyFile, keyId }: SignFlags,
): Promise<void> {
  if ((statSync(keyFile).mode & 0o077) !== 0)
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `${keyFile} can be read by others: chmod 600 ${keyFile}`,
    )
  const key = bundleKey(readFileSync(keyFile, 'utf8'), 'sign')
  const packed = readFileSync(file)
  // What is signed is what a gateway would take.
  await readBundle(packed, { roots: ['yori'], key: undefined })
  const maxOutputLength = BUNDLE_LIMITS.unpackedBytes
  const files = readTar(gunzipSync(packed, { maxOutputLength })).filter(
    ({ path }) => path !== SIGNATURES,
  )
  const signatures = signFiles(files, key, { keyId, atMs: clock.now() })
  writeWhole(file, gzipSync(writeTar([...files, signatures])))
  print(`${file}: ${files.length} files signed\n`)
}

function writeWhole(file: string, bytes: Buffer): void {
  writeFileSync(`${file}.new`, bytes)
  renameSync(`${file}.new`, file)
}
