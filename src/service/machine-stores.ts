/**
 * The stores of trusted roots that this machine has, found by their folders and programs, with
 * what of ours is in each; and the steps of `ca/install.ts`, taken one by one.
 */
import { execFile } from 'node:child_process'
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { FILE_MARK, KEYCHAIN, NSS_MARK } from '../../ca/install.js'
import type { Step, Store } from '../../ca/install.js'
import { YoriError } from '../core/errors.js'

export interface Machine {
  readonly platform: NodeJS.Platform
  /** Of the user whose browsers are meant. */
  readonly home: string
  readonly path: string
  /** '' or the root folder of another system, for images. */
  readonly sysroot: string
}

const RUN_LIMIT_MS = 60_000
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024
const MAX_PROFILES = 64

interface FolderStore {
  readonly name: string
  readonly folder: string
  readonly extension: 'crt' | 'pem'
  readonly refresh: readonly string[]
  readonly refreshAfterRemoval?: readonly string[]
}

const LINUX: readonly FolderStore[] = [
  {
    name: 'this system (Debian, Ubuntu, Alpine)',
    folder: '/usr/local/share/ca-certificates',
    extension: 'crt',
    refresh: ['update-ca-certificates'],
    refreshAfterRemoval: ['update-ca-certificates', '--fresh'],
  },
  {
    name: 'this system (Fedora, Red Hat)',
    folder: '/etc/pki/ca-trust/source/anchors',
    extension: 'pem',
    refresh: ['update-ca-trust', 'extract'],
  },
  {
    name: 'this system (Arch)',
    folder: '/etc/ca-certificates/trust-source/anchors',
    extension: 'pem',
    refresh: ['update-ca-trust'],
  },
]

const FREEBSD: readonly FolderStore[] = [
  {
    name: 'this system (FreeBSD)',
    folder: '/usr/local/etc/ssl/certs',
    extension: 'pem',
    refresh: ['certctl', 'rehash'],
  },
]

/** Where browsers of a user keep their NSS databases; Firefox has one in each profile. */
const CHROMIUM = [
  '.pki/nssdb',
  '.local/share/pki/nssdb',
  'snap/chromium/current/.pki/nssdb',
]
const FIREFOX = [
  '.mozilla/firefox',
  '.config/mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
  'Library/Application Support/Firefox/Profiles',
]

export interface FoundStores {
  readonly stores: readonly Store[]
  /** What a person should know of stores that cannot be served. */
  readonly notes: readonly string[]
}

export async function findStores(machine: Machine): Promise<FoundStores> {
  const system = await systemStores(machine)
  const { stores, notes } = await nssStores(machine)
  return { stores: [...system, ...stores], notes }
}

async function systemStores(machine: Machine): Promise<Store[]> {
  const { platform } = machine
  if (platform === 'darwin') return [await keychain(machine)]
  const known = platform === 'freebsd' ? FREEBSD : platform === 'linux' ? LINUX : []
  const found: Store[] = []
  for (const store of known) {
    const [program = ''] = store.refresh
    const folder = machine.sysroot + store.folder
    if (!(await hasProgram(machine, program))) continue
    // FreeBSD and Debian make the folder with the first certificate.
    if (store.refresh[0] === 'update-ca-trust' && !(await exists(folder))) continue
    found.push({
      ...store,
      kind: 'folder',
      folder,
      refresh: inSysroot(machine, store.refresh),
      refreshAfterRemoval: inSysroot(machine, store.refreshAfterRemoval ?? store.refresh),
      installed: (await namesIn(folder)).filter((name) => name.startsWith(FILE_MARK)),
    })
  }
  return found
}

/** Debian's program takes another root folder. */
function inSysroot({ sysroot }: Machine, command: readonly string[]): readonly string[] {
  const takes = command[0] === 'update-ca-certificates' && sysroot !== ''
  return takes ? [...command, '--sysroot', sysroot] : command
}

/** macOS lists the SHA-1 of every certificate whose name has our words. */
async function keychain(machine: Machine): Promise<Store> {
  const listed = await run(machine, 'security', [
    'find-certificate',
    '-a',
    '-Z',
    '-c',
    'Root CA',
    KEYCHAIN,
  ])
  const blocks = listed.stdout.split(/(?=^SHA-256 hash:)/m)
  const ours = blocks.filter((block) => /"labl"<blob>="YORI /.test(block))
  const installed = ours.flatMap(
    (block) => /^SHA-1 hash: ([0-9A-F]{40})$/m.exec(block)?.[1] ?? [],
  )
  return { kind: 'keychain', name: 'the System keychain', installed }
}

async function nssStores(machine: Machine): Promise<FoundStores> {
  const folders = await nssFolders(machine.home)
  if (folders.length === 0) return { stores: [], notes: [] }
  if (!(await hasProgram(machine, 'certutil'))) {
    const notes = [
      `left out, as certutil (package libnss3-tools or nss-tools) is missing: ${folders.map(([, folder]) => folder).join(', ')}`,
    ]
    return { stores: [], notes }
  }
  const stores: Store[] = []
  for (const [name, folder] of folders) {
    const { stdout } = await run(machine, 'certutil', ['-L', '-d', `sql:${folder}`])
    const installed = stdout
      .split('\n')
      .filter((line) => line.startsWith(NSS_MARK))
      .map((line) => line.slice(0, NSS_MARK.length + 8))
    stores.push({ kind: 'nss', name: `${name} (${folder})`, folder, installed })
  }
  return { stores, notes: [] }
}

async function nssFolders(home: string): Promise<(readonly [string, string])[]> {
  const found: (readonly [string, string])[] = []
  for (const place of CHROMIUM) {
    const folder = join(home, place)
    if (await exists(join(folder, 'cert9.db'))) found.push(['Chromium', folder])
  }
  for (const place of FIREFOX) {
    for (const profile of (await namesIn(join(home, place))).slice(0, MAX_PROFILES)) {
      const folder = join(home, place, profile)
      if (await exists(join(folder, 'cert9.db'))) found.push(['Firefox', folder])
    }
  }
  return found
}

/** YORI_CA_UNUSABLE, with what the system or the program said. */
export async function take(machine: Machine, step: Step): Promise<void> {
  try {
    switch (step.kind) {
      case 'write': {
        const draft = `${step.path}.new`
        await mkdir(dirname(step.path), { recursive: true, mode: 0o755 })
        await writeFile(draft, step.text, { mode: 0o644 })
        await rename(draft, step.path)
        return
      }
      case 'remove':
        await rm(step.path, { force: true })
        return
      case 'run': {
        const { code, stderr } = await run(machine, step.program, step.args)
        if (code !== 0)
          throw new Error(stderr.trim().split('\n').at(-1) ?? `ended with ${code}`)
        return
      }
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new YoriError('YORI_CA_UNUSABLE', why, { cause })
  }
}

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(machine: Machine, program: string, args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, PATH: machine.path, HOME: machine.home, LC_ALL: 'C' }
  const options = { env, timeout: RUN_LIMIT_MS, maxBuffer: MAX_OUTPUT_BYTES }
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr: stderr === '' ? (error?.message ?? '') : stderr })
    })
  })
}

async function hasProgram({ path }: Machine, program: string): Promise<boolean> {
  for (const folder of path.split(delimiter))
    if (folder !== '' && (await exists(join(folder, program)))) return true
  return false
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
