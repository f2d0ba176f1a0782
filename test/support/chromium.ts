/**
 * A headless Chromium of one's own: a fresh home and profile in a temp folder, its own store of
 * trusted certificates (NSS), a proxy or rules for names where a test wants them. It opens
 * pages, evaluates, types, clicks and takes pictures. Disposal ends its processes, and only
 * those, and removes the folder.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { DevTools } from './cdp.js'
import { chromiumPath } from './chromium-path.js'
import { PATIENCE_MS } from './patience.js'
import { ChromiumPage } from './chromium-page.js'
import type { View } from './chromium-page.js'
import { runProgram } from './programs.js'
import { tempFolder } from './temp-folder.js'
import type { TempFolder } from './temp-folder.js'

const MAX_ERROR_CHARS = 64 * 1024

export interface ChromiumOptions {
  /** Roots that it trusts, as PEM; needs NSS's `certutil`. */
  readonly trust?: readonly string[]
  /** `http://127.0.0.1:8443`, for loopback destinations too. */
  readonly proxy?: string
  /** A proxy configuration by its URL. */
  readonly proxyPac?: string
  /** `MAP api.example 127.0.0.1:8443`: names that it looks up nowhere else. */
  readonly hostRules?: readonly string[]
  readonly args?: readonly string[]
}

export class Chromium implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #folder: TempFolder
  readonly #devTools: DevTools

  private constructor(child: ChildProcess, folder: TempFolder, devTools: DevTools) {
    this.#child = child
    this.#folder = folder
    this.#devTools = devTools
  }

  static async start(options: ChromiumOptions = {}): Promise<Chromium> {
    const path = chromiumPath()
    if (path === undefined) throw new Error('chromium is not installed')
    const folder = await tempFolder('yori-chromium-')
    let child: ChildProcess | undefined
    try {
      await trustRoots(folder, options.trust ?? [])
      child = spawn(path, flags(folder, options), {
        env: environment(folder),
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true, // a process group of its own, to be ended as one
      })
      const devTools = await DevTools.connect(await debuggerUrl(child))
      return new Chromium(child, folder, devTools)
    } catch (error) {
      if (child !== undefined) await end(child)
      await folder[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Its home, gone with it. */
  get home(): string {
    return this.#folder.path
  }

  /** A new tab, in the view that is asked for. */
  async page(view: View = {}): Promise<ChromiumPage> {
    const { targetId } = await this.#devTools.send<{ targetId: string }>(
      'Target.createTarget',
      { url: 'about:blank' },
    )
    const { sessionId } = await this.#devTools.send<{ sessionId: string }>(
      'Target.attachToTarget',
      { targetId, flatten: true },
    )
    return ChromiumPage.open(this.#devTools.session(sessionId), view)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#devTools.send('Browser.close').catch(() => undefined)
    this.#devTools.close()
    await end(this.#child)
    await this.#folder[Symbol.asyncDispose]()
  }
}

function flags(folder: TempFolder, options: ChromiumOptions): string[] {
  const { proxy, proxyPac, hostRules } = options
  return [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-extensions',
    '--disable-sync',
    '--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider',
    '--no-first-run',
    '--no-pings',
    '--metrics-recording-only',
    '--hide-scrollbars',
    '--remote-debugging-port=0',
    `--user-data-dir=${folder.file('profile')}`,
    ...((proxy ?? proxyPac) === undefined ? ['--no-proxy-server'] : []),
    ...(proxy === undefined ? [] : [`--proxy-server=${proxy}`]),
    ...(proxyPac === undefined ? [] : [`--proxy-pac-url=${proxyPac}`]),
    ...(proxy === undefined ? [] : ['--proxy-bypass-list=<-loopback>']),
    ...(hostRules === undefined ? [] : [`--host-resolver-rules=${hostRules.join(', ')}`]),
    ...(options.args ?? []),
    'about:blank',
  ]
}

function environment(folder: TempFolder): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LANG: 'en_US.UTF-8',
    HOME: folder.path,
    TMPDIR: folder.path,
    XDG_CONFIG_HOME: folder.file('config'),
    XDG_CACHE_HOME: folder.file('cache'),
  }
}

/** Chromium reads the NSS database of its user, `~/.pki/nssdb`. */
async function trustRoots(folder: TempFolder, roots: readonly string[]): Promise<void> {
  if (roots.length === 0) return
  const database = folder.file('.pki', 'nssdb')
  await mkdir(database, { recursive: true, mode: 0o700 })
  await certutil(['-N', '--empty-password', '-d', `sql:${database}`])
  for (const [index, pem] of roots.entries()) {
    const file = folder.file(`trusted-${index}.pem`)
    await writeFile(file, pem)
    const name = `root ${index}`
    await certutil(['-A', '-d', `sql:${database}`, '-n', name, '-t', 'C,,', '-i', file])
  }
}

async function certutil(args: readonly string[]): Promise<void> {
  const { status, stderr } = await runProgram('certutil', args)
  if (status !== 0) throw new Error(`certutil: ${stderr}`)
}

/** Where the browser listens, as it says itself. */
function debuggerUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string): void => reject(new Error(`chromium ${why}: ${said}`))
    const timer = setTimeout(() => fail('did not start in time'), PATIENCE_MS)
    child.once('error', reject)
    child.once('exit', (status) => fail(`ended with ${String(status)}`))
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < MAX_ERROR_CHARS) said += chunk.toString()
      const found = /DevTools listening on (ws:\/\/\S+)/.exec(said)
      if (found?.[1] === undefined) return
      clearTimeout(timer)
      resolve(found[1])
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null
  const exit = ended ? undefined : once(child, 'exit')
  if (child.pid !== undefined) {
    try {
      process.kill(-child.pid, 'SIGKILL') // its group: what it started goes with it
    } catch {
      // the whole group has gone already
    }
  }
  await exit
}
