/**
 * A YORI whose providers are recordings: in this process, on loopback, with a CA and a record
 * that are gone with it. Nothing is dialled for what was recorded, and nothing that runs is asked.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { shippedDetector } from '../../../config/read-detect.js'
import { loadConfig } from '../../../config/load.js'
import { formatProblem } from '../../../config/problem.js'
import type { Config } from '../../../config/schema.js'
import { Appliance } from '../../assembly/appliance.js'
import { formatSocketAddress } from '../../core/address.js'
import { systemClock } from '../../core/clock.js'
import { YoriError } from '../../core/errors.js'
import { silentLog } from '../../core/log.js'
import { Interceptors } from '../../interceptors/interceptors.js'
import { packageVersion } from '../package-version.js'
import type { ExchangeObserver } from '../../proxy/words/observer.js'
import type { Match } from '../../replay/matching.js'
import type { Recording } from '../../replay/recording.js'
import { readRecordings } from '../../replay/recording-files.js'
import type { ReadRecordings } from '../../replay/recording-files.js'
import { ReplayedProvider } from '../../replay/replayed-provider.js'
import { Sanitiser } from '../../replay/sanitiser.js'

export interface ReplayAsked {
  /** Of recordings, or one file. */
  readonly path: string
  /** Its policies are asked; undefined: nobody's are, and nothing is searched for. */
  readonly config: string | undefined
  readonly match: Match
  readonly inTime: boolean
  /** Over its `listen`. */
  readonly listen?: string
  readonly observers?: readonly ExchangeObserver[]
  /** A folder of policies that block, beside those of the configuration. */
  readonly policies?: string | undefined
}

export interface ReplayYori extends AsyncDisposable {
  /** The CA's folder. */
  readonly directory: string
  /** `http://host:port`. */
  readonly proxy: string
  readonly rootPem: string
  readonly provider: ReplayedProvider
  readonly read: ReadRecordings
  readonly appliance: Appliance
}

/** @throws YORI_STATE_UNUSABLE, YORI_CONFIG_INVALID, and as `Appliance.start` */
export async function startReplayYori(asked: ReplayAsked): Promise<ReplayYori> {
  const read = await readRecordings(asked.path)
  if (read.recordings.length === 0) {
    const [first] = read.unread
    const why = first === undefined ? '' : `; ${first.file}: ${first.why}`
    throw new YoriError(
      'YORI_STATE_UNUSABLE',
      `there are no recordings at ${asked.path}${why}`,
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'yori-replay-'))
  const forget = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const config = withHosts(configFor(asked, folder), read.recordings)
    const detector = shippedDetector()
    const provider = new ReplayedProvider(read.recordings, {
      match: asked.match,
      inTime: asked.inTime,
      sanitiserOf: (level) => new Sanitiser(detector, level),
    })
    const interceptors = new Interceptors({
      ...{ clock: systemClock, log: silentLog, version: packageVersion() },
      print: (text) => void process.stdout.write(text),
    })
    // What names no folder goes with the state; what it writes is not recorded here.
    interceptors.use({ interceptors: config.interceptors, state_dir: folder })
    const appliance = new Appliance({
      config,
      provider,
      clock: systemClock,
      log: silentLog,
      observers: [interceptors.observer, ...(asked.observers ?? [])],
    })
    await appliance.start()
    interceptors.attach(appliance.conversations.calls.events)
    const [address] = appliance.addresses
    return {
      directory: config.ca.directory,
      proxy: `http://${address === undefined ? '' : formatSocketAddress(address)}`,
      rootPem: appliance.current.authority.rootPem,
      ...{ provider, read, appliance },
      [Symbol.asyncDispose]: async () => {
        await appliance.stop()
        await interceptors.stop()
        forget()
      },
    }
  } catch (cause) {
    forget()
    throw cause
  }
}

type Over = readonly [path: readonly string[], value: unknown]

function configFor(asked: ReplayAsked, folder: string): Config {
  const { policies, listen = '127.0.0.1:0' } = asked
  const own: Over[] = [
    [['listen'], listen],
    [['state_dir'], folder],
    [['audit', 'database'], join(folder, 'audit.db')],
    [['ca', 'directory'], join(folder, 'ca')],
  ]
  const config = loaded(asked, own)
  if (policies === undefined) return config
  // What the configuration says of one of them holds.
  const known = new Set(Object.keys(config.policies.files))
  const names = readdirSync(policies)
    .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
    .map((name) => name.slice(0, -'.rego'.length))
    .filter((name) => !known.has(name))
  return loaded(asked, [
    ...own,
    [['policies', 'directory'], resolve(policies)],
    [['mode'], 'enforce'],
    [['enforcement', 'enabled'], true],
    [['enforcement', 'consent_accepted'], true],
    ...names.map((name): Over => {
      return [['policies', 'files', name], { enabled: true, action: 'block' }]
    }),
  ])
}

function loaded({ config }: ReplayAsked, over: readonly Over[]): Config {
  const found = loadConfig({
    path: config,
    env: config === undefined ? {} : process.env,
    cwd: process.cwd(),
    ...(config === undefined ? { searched: [] } : {}),
    flags: over.map(([path, value]) => {
      return { name: 'yori replay', from: 'command line', path, value }
    }),
  })
  if (found.kind === 'ok') return found.config
  const lines = found.problems.map(formatProblem)
  throw new YoriError(
    'YORI_CONFIG_INVALID',
    `the configuration is not valid\n${lines.join('\n')}`,
  )
}

/** What was intercepted then is intercepted now. */
function withHosts(config: Config, recordings: readonly Recording[]): Config {
  const names = new Set(
    recordings
      .map(({ request }) => new URL(request.url).hostname)
      .filter((name) => isIP(name.replace(/^\[|\]$/g, '')) === 0 && name !== 'localhost'),
  )
  const { endpoints, endpoints_add: added } = config
  for (const { domain } of [...endpoints, ...added]) names.delete(domain.toLowerCase())
  const [like] = endpoints.filter(({ route }) => route === 'intercept')
  if (like === undefined || names.size === 0) return config
  const more = [...names].map((domain) => ({ ...like, domain }))
  return { ...config, endpoints: [...endpoints, ...more] }
}
