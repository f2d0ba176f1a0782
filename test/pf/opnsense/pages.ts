/** Runs the plugin's controllers on stand-ins of OPNsense's classes (test/fixtures/opnsense). */
import { spawnSync } from 'node:child_process'
import { packageFile } from '../../../src/core/package-root.js'
import { MVC, pluginFile } from './model.js'

export interface Call {
  /** As behind /api/yori/, or `index/PAGE`. */
  readonly to: string
  /** Absent: GET. */
  readonly post?: Readonly<Record<string, unknown>>
  readonly get?: Readonly<Record<string, string>>
}

export interface Answered {
  readonly answer?: unknown
  /** `CLASS: message` of what was thrown. */
  readonly error?: string
  /** Events that configd was asked for, with their words behind. */
  readonly asked: readonly string[]
  /** How often the aliases were said to be others. */
  readonly flushed: number
  readonly view: string | null
  readonly parts: readonly string[]
}

const RUN = packageFile('test', 'fixtures', 'opnsense', 'run.php')

/** The config.xml of a router that has never seen the plugin. */
export const EMPTY_XML =
  '<opnsense><interfaces><lan><if>em1</if></lan><opt1><if>vlan0.10</if></opt1></interfaces></opnsense>\n'

/** One after another, as a request each; `answers` are configd's, by event. */
export function called(
  configXml: string,
  calls: readonly Call[],
  answers: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Answered[] {
  const { status, stdout, stderr } = spawnSync('php', [RUN], {
    input: JSON.stringify({ calls, answers }),
    env: {
      ...process.env,
      YORI_APP: pluginFile(...MVC),
      YORI_CONFIG_XML: configXml,
      ...env,
    },
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  if (status !== 0) throw new Error(`${stdout}\n${stderr}`)
  return JSON.parse(stdout) as Answered[]
}

export interface Action {
  readonly command: string
  readonly parameters: string
  readonly type: string
  readonly description?: string
}

/** actions_yori.conf by action. */
export function readActions(text: string): Map<string, Action> {
  const actions = new Map<string, Record<string, string>>()
  let open: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const name = /^\[(.+)\]$/.exec(line)?.[1]
    if (name !== undefined) actions.set(name, (open = {}))
    const [, key, value] = /^(\w+):(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) open[key] = value
  }
  return actions as unknown as Map<string, Action>
}
