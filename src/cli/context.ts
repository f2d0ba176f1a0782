/** What the commands share: the configuration as they ask for it, and where they print. */
import { existsSync } from 'node:fs'
import { loadConfig } from '../../config/load.js'
import type { LoadedConfig, Override } from '../../config/load.js'
import { formatProblem } from '../../config/problem.js'
import type { Config } from '../../config/schema.js'
import { YoriError } from '../core/errors.js'

export interface ConfigFlags {
  readonly config?: string | undefined
  readonly stateDir?: string | undefined
  readonly overrides?: readonly Override[]
}

export type Loaded = Extract<LoadedConfig, { kind: 'ok' }>

/** The configuration as every command finds it, or all that is wrong with it. */
export function findConfiguration(flags: ConfigFlags): LoadedConfig {
  return loadConfig({
    path: flags.config,
    env: process.env,
    cwd: process.cwd(),
    stateDir: flags.stateDir ?? process.env['YORI_STATE_DIR'] ?? localState(),
    ...(flags.overrides === undefined ? {} : { flags: flags.overrides }),
  })
}

/**
 * The configuration in force.
 * @throws YORI_CONFIG_INVALID with every problem, one a line
 */
export function configuration(flags: ConfigFlags): Loaded {
  const loaded = findConfiguration(flags)
  if (loaded.kind === 'invalid') {
    const lines = loaded.problems.map(formatProblem)
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `the configuration is not valid\n${lines.join('\n')}`,
    )
  }
  return loaded
}

/** `npm start` keeps its state in ./var: commands beside it find it there without being told. */
function localState(): string | undefined {
  return existsSync('var/audit.db') ? 'var' : undefined
}

export function configOf(path: string | undefined): Config {
  return configuration({ config: path }).config
}

export function print(output: string | Uint8Array): void {
  process.stdout.write(output)
}

export function note(text: string): void {
  process.stderr.write(text)
}
