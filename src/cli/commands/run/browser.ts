/**
 * `yori browser` opens a Chromium with a profile of its own that is led through YORI and takes the
 * certificates of this YORI alone. Neither the person's profile nor the system's store of roots is
 * touched, and the profile is gone afterwards.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { Command } from 'commander'
import { readCa } from '../../../../ca/show-ca.js'
import { YoriError } from '../../../core/errors.js'
import { usage } from '../../usage.js'
import { exec } from './exec.js'
import type { ExecDeps } from './exec.js'

interface BrowserFlags {
  readonly config?: string
  readonly ephemeral?: true
  readonly program?: string
}

/** In this order; all take the flags of Chromium. */
const PROGRAMS = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'brave-browser',
  'vivaldi',
] as const
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
] as const

export function browserCommand(deps: ExecDeps): Command {
  return new Command('browser')
    .description('open a Chromium that is led through YORI and trusts it')
    .argument('[url]', 'the page to open; flags of the browser go behind --')
    .argument('[flags...]')
    .option('--config <file>', 'the configuration file')
    .option('--ephemeral', 'by a YORI of its own, which leaves nothing behind')
    .option('--program <file>', 'the browser, when it is not found or another is meant')
    .action((url: string | undefined, more: string[], flags: BrowserFlags) =>
      browse(deps, [...(url === undefined ? [] : [url]), ...more], flags),
    )
}

async function browse(
  deps: ExecDeps,
  words: readonly string[],
  flags: BrowserFlags,
): Promise<void> {
  const pages = words.filter((word) => !word.startsWith('-'))
  for (const page of pages)
    if (!/^(?:https?:\/\/|about:)/.test(page))
      usage(`${JSON.stringify(page)} is no page; write https://${page}`)
  const program = flags.program ?? findBrowser(deps.env['PATH'] ?? '')
  const profile = mkdtempSync(join(tmpdir(), 'yori-browser-'))
  try {
    const name = basename(program)
    const commandOf = async ({ proxy, directory }: Led): Promise<string[]> => {
      const trusted = await keysOf(directory, deps)
      return [program, ...flagsFor({ profile, proxy, trusted }), ...words]
    }
    const rest = { preload: false, summary: true }
    await exec(deps, { name, commandOf }, { ...flags, ...rest })
  } finally {
    // A process of it may be writing its last.
    rmSync(profile, { recursive: true, force: true, maxRetries: 20 })
  }
}

interface Led {
  readonly proxy: string
  readonly directory: string
}

interface Flagged {
  readonly profile: string
  readonly proxy: string
  readonly trusted: readonly string[]
}

function flagsFor({ profile, proxy, trusted }: Flagged): string[] {
  return [
    `--user-data-dir=${profile}`,
    `--proxy-server=${proxy}`,
    // Certificates that this CA signed, and no others.
    `--ignore-certificate-errors-spki-list=${trusted.join(',')}`,
    // What is opened, and not what a new browser asks its maker for.
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--no-default-browser-check',
  ]
}

/** SHA-256 of the keys that sign leaves, as Chromium takes them: base64 of the SPKI's. */
async function keysOf(
  directory: string,
  { clock }: Pick<ExecDeps, 'clock'>,
): Promise<string[]> {
  const { root, issuing } = await readCa(directory, clock)
  return [root, issuing.certificate].map(({ pem }) => {
    const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
    return createHash('sha256').update(key).digest('base64')
  })
}

/** @throws YORI_STATE_UNUSABLE where there is none */
function findBrowser(path: string): string {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  const candidates = [
    ...PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...APPLICATIONS,
  ]
  const found = candidates.find(isProgram)
  if (found !== undefined) return found
  throw new YoriError(
    'YORI_STATE_UNUSABLE',
    'no Chromium, Chrome, Edge or Brave was found; install one, or name it by --program',
  )
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
