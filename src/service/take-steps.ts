/**
 * Takes the steps of an installation, one after the other, and says what came of each. Below
 * `root` other than `/` an image is prepared: files go there, and what would change the running
 * system is left out and said.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { unreachable } from '../core/unreachable.js'
import { accountOf } from './accounts.js'
import { sha256 } from './service-steps.js'
import type { Step } from './service-steps.js'

export interface Ground {
  readonly root: string
  readonly platform: NodeJS.Platform
}

/** What was made that was not there before, in order. */
export interface Made {
  user: boolean
  readonly directories: string[]
  readonly files: { path: string; sha256: string }[]
}

export const nothingMade = (): Made => ({ user: false, directories: [], files: [] })

const COMMAND_MS = 60_000

/** @throws the system's error, or one that says which command failed and how */
export function takeStep(step: Step, ground: Ground, made: Made): string {
  switch (step.kind) {
    case 'user':
      return makeUser(step, ground, made)
    case 'directory':
      return makeDirectory(step, ground, made)
    case 'file':
      return writeFile(step, ground, made)
    case 'command':
      return runStep(step, ground)
    case 'remove-file':
      return removeFile(step, ground)
    case 'remove-directory':
      return removeDirectory(step, ground)
    case 'remove-user':
      return removeUser(step.name, ground)
    default:
      return unreachable(step)
  }
}

type Of<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>

const isLive = ({ root }: Ground): boolean => root === '/'

function makeUser({ name, home, shell }: Of<'user'>, ground: Ground, made: Made): string {
  if (!isLive(ground)) return 'left to the system that the image is for'
  if (accountOf(name) !== undefined) return 'there already'
  const argv =
    ground.platform === 'freebsd'
      ? ['pw', 'useradd', name, '-d', home, '-s', shell, '-c', 'YORI']
      : [
          'useradd',
          '--system',
          '--user-group',
          '--no-create-home',
          '--home-dir',
          home,
        ].concat(['--shell', shell, name])
  run(argv)
  made.user = true
  return 'made'
}

function makeDirectory(step: Of<'directory'>, ground: Ground, made: Made): string {
  const path = join(ground.root, step.path)
  if (existsSync(path)) return 'there already'
  mkdirSync(dirname(path), { recursive: true })
  mkdirSync(path, { mode: step.mode })
  chmodSync(path, step.mode)
  made.directories.push(step.path)
  const owner = isLive(ground) ? accountOf(step.owner) : undefined
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
  return 'made'
}

function writeFile(step: Of<'file'>, ground: Ground, made: Made): string {
  const path = join(ground.root, step.path)
  const there = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (there !== undefined && step.keep) return 'there already, kept'
  made.files.push({ path: step.path, sha256: sha256(step.text) })
  if (there === step.text) return 'as it was'
  mkdirSync(dirname(path), { recursive: true })
  const beside = `${path}.new`
  writeFileSync(beside, step.text, { mode: step.mode })
  chmodSync(beside, step.mode)
  renameSync(beside, path)
  return there === undefined ? 'written' : 'replaced'
}

function runStep({ argv, allowed }: Of<'command'>, ground: Ground): string {
  if (!isLive(ground)) return 'left to the system that the image is for'
  try {
    run(argv)
    return 'done'
  } catch (cause) {
    if (!allowed) throw cause
    return cause instanceof Error ? cause.message : String(cause)
  }
}

function removeFile(step: Of<'remove-file'>, { root }: Ground): string {
  const path = join(root, step.path)
  if (!existsSync(path)) return 'not there'
  if (step.sha256 !== undefined && sha256(readFileSync(path)) !== step.sha256)
    return 'kept: it was changed'
  rmSync(path)
  return 'removed'
}

function removeDirectory(step: Of<'remove-directory'>, { root }: Ground): string {
  const path = join(root, step.path)
  if (!existsSync(path)) return 'not there'
  if (step.all) {
    rmSync(path, { recursive: true })
    return 'removed'
  }
  const kept = readdirSync(path).length
  if (kept > 0) return `kept: ${kept} ${kept === 1 ? 'entry is' : 'entries are'} in it`
  rmdirSync(path)
  return 'removed'
}

function removeUser(name: string, ground: Ground): string {
  if (!isLive(ground)) return 'left to the system that the image is for'
  if (accountOf(name) === undefined) return 'not there'
  run(ground.platform === 'freebsd' ? ['pw', 'userdel', name] : ['userdel', name])
  return 'removed'
}

function run(argv: readonly string[]): void {
  const [program = '', ...words] = argv
  const { error, status, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    timeout: COMMAND_MS,
  })
  if (error !== undefined) throw new Error(`${program}: ${error.message}`)
  if (status === 0) return
  const said = stderr.trim().split('\n').at(-1) ?? ''
  throw new Error(`${argv.join(' ')} ended with ${status ?? 'a signal'}: ${said}`)
}
