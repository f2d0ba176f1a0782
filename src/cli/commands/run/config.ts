/** `yori config check | show | init | migrate | explain`: what configuration is in force, and why not. */
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { GATEWAY_STARTER } from '../../../../config/gateway-file.js'
import { explain, explainText } from '../../../../config/explain.js'
import { formatProblem } from '../../../../config/problem.js'
import { showConfig } from '../../../../config/show-config.js'
import { starterFile } from '../../../../config/starter.js'
import { findConfiguration } from '../../context.js'
import { systemClock } from '../../../core/clock.js'
import { startProblems } from '../../start-problems.js'
import { configMigrateCommand } from './config-migrate.js'

interface CommonOptions {
  readonly config?: string
  readonly json?: true
}

interface InitOptions extends CommonOptions {
  readonly out: string
  readonly force?: true
}

export function configCommand(): Command {
  const command = new Command('config').description(
    'check, show or write the configuration',
  )
  common(command.command('check'))
    .description('print every problem; exit 0 when there is none, else 1')
    .action(check)
  common(command.command('show'))
    .description('print the configuration in force and where each key came from')
    .action(show)
  common(command.command('init'))
    .description('write a commented file to start from')
    .option('--out <file>', 'where to; - is standard output', 'yori.conf')
    .option('--force', 'overwrite a file that is there')
    .action(init)
  command.addCommand(configMigrateCommand())
  common(command.command('explain'))
    .argument('[key]', 'such as audit or audit.retention_days; all keys when left out')
    .description('say what a key takes, its default and its meaning')
    .action(explainKey)
  return command
}

/** `yori generate-config FILE`: a gateway's file to start from. */
export function generateConfigCommand(): Command {
  return new Command('generate-config')
    .description('write the file of a gateway to one provider, to start from')
    .argument('<file>', 'where to')
    .option('--force', 'overwrite a file that is there')
    .action((out: string, { force }: { force?: true }) => {
      const failure = writeFile(resolve(out), GATEWAY_STARTER, force === true)
      if (failure === undefined) print(`wrote ${out}; next: yori run --config ${out}`)
      else {
        complain(failure)
        process.exitCode = 1
      }
    })
}

/** `yori validate-config FILE`: as `config check --config FILE`. */
export function validateConfigCommand(): Command {
  return new Command('validate-config')
    .description('print every problem of a configuration file; exit 0 when there is none')
    .argument('<file>', 'the configuration file')
    .option('--json', 'print JSON for programs')
    .action((config: string, { json }: { json?: true }) =>
      check({ config, ...(json === undefined ? {} : { json }) }),
    )
}

function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration file')
    .option('--json', 'print JSON for programs')
}

async function check(options: CommonOptions): Promise<void> {
  const loaded = findConfiguration(options)
  const found =
    loaded.kind === 'ok'
      ? await startProblems(loaded, systemClock)
      : { problems: [], warnings: [] }
  const problems = loaded.kind === 'ok' ? found.problems : loaded.problems
  // A file that is not there is one of both, where a start needs it.
  const worse = new Set(problems.map(({ key }) => key))
  const told = loaded.kind === 'ok' ? [...loaded.warnings, ...found.warnings] : []
  const warnings = told.filter(({ key }) => !worse.has(key))
  const ok = loaded.kind === 'ok' && problems.length === 0
  if (!ok) process.exitCode = 1
  if (options.json) {
    printJson({ ok, ...(ok ? { source: loaded.source } : {}), problems, warnings })
    return
  }
  for (const problem of problems) complain(formatProblem(problem))
  for (const warning of warnings) print(`warning: ${formatProblem(warning)}`)
  if (ok) print(`${loaded.source}: ok${tally(warnings.length, 'warning')}`)
  else complain(`not usable${tally(problems.length, 'problem')}`)
}

function tally(count: number, word: string): string {
  return count === 0 ? '' : `, ${count} ${word}${count === 1 ? '' : 's'}`
}

async function show(options: CommonOptions): Promise<void> {
  const loaded = findConfiguration(options)
  if (loaded.kind === 'invalid') {
    await check(options)
    return
  }
  const { config, source, origins, warnings } = loaded
  if (options.json) printJson({ source, origins, config, warnings })
  else process.stdout.write(showConfig(loaded))
}

function init({ out, force, json }: InitOptions): void {
  const text = starterFile()
  if (out === '-') {
    process.stdout.write(text)
    return
  }
  const file = resolve(out)
  const failure = writeFile(file, text, force === true)
  if (json) printJson(failure === undefined ? { written: file } : { error: failure })
  else if (failure === undefined)
    print(`wrote ${file}; next: yori config check --config ${out}`)
  else complain(failure)
  if (failure !== undefined) process.exitCode = 1
}

/** Mode 0600. Returns what went wrong. */
function writeFile(file: string, text: string, replace: boolean): string | undefined {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(replace ? draft : file, text, { mode: 0o600, flag: 'wx' })
    // The old file stays whole until the new one is.
    if (replace) renameSync(draft, file)
    return undefined
  } catch (cause) {
    rmSync(draft, { force: true })
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (code === 'EEXIST') return `${file} exists; --force overwrites it`
    if (code === 'ENOENT') return `${file}: the folder does not exist`
    return `${file}: cannot be written (${code})`
  }
}

function explainKey(key: string | undefined, options: CommonOptions): void {
  const found = explain(key)
  switch (found.kind) {
    case 'known':
      if (options.json) printJson(found.keys)
      else process.stdout.write(explainText(found.keys))
      return
    case 'unknown': {
      const meant = found.nearest === undefined ? '' : `; did you mean ${found.nearest}?`
      const error = `no key ${JSON.stringify(key)}${meant}`
      if (options.json) printJson({ error })
      else complain(error)
      process.exitCode = 1
    }
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`)
}

function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}
