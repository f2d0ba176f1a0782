/**
 * A YORI whose providers are recordings: in this process, on loopback, with a CA and a record
 * that are gone with it. Nothing is dialled for what was recorded, and nothing that runs is asked.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shippedDetector } from '../../../config/read-detect.js'
import { loadConfig } from '../../../config/load.js'
import { formatProblem } from '../../../config/problem.js'
import type { Config } from '../../../config/schema.js'
import { Appliance } from '../../assembly/appliance.js'
import { formatSocketAddress } from '../../core/address.js'
import { systemClock } from '../../core/clock.js'
import { YoriError } from '../../core/errors.js'
import { silentLog } from '../../core/log.js'
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
    const appliance = new Appliance({
      config,
      provider,
      clock: systemClock,
      log: silentLog,
      observers: asked.observers ?? [],
    })
    await appliance.start()
    const [address] = appliance.addresses
    return {
      directory: config.ca.directory,
      proxy: `http://${address === undefined ? '' : formatSocketAddress(address)}`,
      rootPem: appliance.current.authority.rootPem,
      ...{ provider, read, appliance },
      [Symbol.asyncDispose]: async () => {
        await appliance.stop()
        forget()
      },
    }
  } catch (cause) {
    forget()
    throw cause
  }
}

function configFor({ config, listen }: ReplayAsked, folder: string): Config {
  const over = (path: readonly string[], value: unknown) =>
    ({ name: 'yori replay', from: 'command line', path, value }) as const
  const loaded = loadConfig({
    path: config,
    env: config === undefined ? {} : process.env,
    cwd: process.cwd(),
    ...(config === undefined ? { searched: [] } : {}),
    flags: [
      over(['listen'], listen ?? '127.0.0.1:0'),
      over(['state_dir'], folder),
      over(['audit', 'database'], join(folder, 'audit.db')),
      over(['ca', 'directory'], join(folder, 'ca')),
    ],
  })
  if (loaded.kind === 'ok') return loaded.config
  const lines = loaded.problems.map(formatProblem)
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
