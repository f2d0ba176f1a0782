/**
 * Can the user of a service run YORI from where it lies? Asked of the system itself, by running
 * it there as that user, since modes alone do not tell: ACLs, mounts and other users' homes.
 * Nothing is written here.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../core/package-root.js'
import { accountOf } from './accounts.js'
import type { Account } from './accounts.js'
import type { System } from './layout.js'
import type { Program } from './service-program.js'

/** Node loads YORI in a second; a machine that swaps may need more. */
const RUN_MS = 60_000
/** Whom a user that is still to be made may be like: nobody's friend. */
const STRANGER = 65534
/** Where the copy goes that everybody may read. */
const OPEN_PLACE = '/usr/local/lib/yori'
const LOADS = fileURLToPath(new URL('load-all.js', import.meta.url))

export interface Asked {
  readonly program: Program
  readonly user: string
  readonly system: System
  readonly platform: NodeJS.Platform
}

/**
 * What keeps a service of this system from starting, and what to do, in lines; undefined when
 * nothing does. Root alone can ask for another user.
 */
export function whyOutOfReach(asked: Asked): string | undefined {
  const { program, user, system } = asked
  if (system === 'systemd' && !isOnPath('systemctl'))
    return 'systemctl is not there, and a service is started by it. `yori run` runs in the foreground, --root DIR prepares an image.'
  const paths = [program.node, program.script]
  const hidden = system === 'systemd' ? paths.find(isTemporary) : undefined
  if (hidden !== undefined)
    return `${hidden} lies where temporary files do, which a service does not see (PrivateTmp=).\n${remedyFor(hidden, program)}`
  for (const path of paths) {
    const closed = firstClosed(path, asked)
    if (closed !== undefined)
      return `the user ${user} cannot start ${path}: it may not ${closed}.\n${remedyFor(path, program)}`
  }
  const ran = runAs(asked, [program.node, LOADS])
  if (ran.status === 0) return undefined
  return `the user ${user} cannot run YORI from ${packageRoot}: ${reasonOf(ran)}.\n${copyRemedy(program)}`
}

const isOnPath = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name)))

function copyRemedy({ node }: Program): string {
  return [
    'Copy it to where everybody may read, and install from there:',
    `  mkdir -p ${OPEN_PLACE}`,
    `  cd ${quoted(packageRoot)} && cp -R package.json dist config pf node_modules ${OPEN_PLACE}/`,
    `  chown -R 0:0 ${OPEN_PLACE} && chmod -R a+rX,go-w ${OPEN_PLACE}`,
    `  ${quoted(node)} ${OPEN_PLACE}/dist/src/cli/main.js service install`,
  ].join('\n')
}

export function remedyFor(path: string, program: Program): string {
  if (path !== program.node) return copyRemedy(program)
  return 'Install Node.js for everybody, as by the packages of this system, and run this command with it.'
}

const isTemporary = (path: string): boolean => /^\/(?:var\/)?tmp\//.test(path)

/** Says of the first folder on the way that the user may not enter, or of the file itself. */
const WALK = `
for one; do
  case $one in
  */) [ -x "$one" ] || { printf %s "enter $one"; exit 0; } ;;
  *) [ -r "$one" ] || printf %s "read $one" ;;
  esac
done`

function firstClosed(path: string, asked: Asked): string | undefined {
  const way = [path]
  for (let at = path; at !== '/'; at = dirname(at))
    way.unshift(`${dirname(at) === '/' ? '' : dirname(at)}/`)
  const said = runAs(asked, ['/bin/sh', '-c', WALK, 'sh', ...way]).stdout
  return said === '' ? undefined : said
}

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** With the groups that a service gets; a user that is not there yet has none. */
function runAs({ user, platform }: Asked, command: readonly string[]): Ran {
  const account = accountOf(user)
  const [program = '', ...words] =
    account === undefined ? command : [...become(user, account, platform), ...command]
  const { error, status, stdout, stderr } = spawnSync(program, words, {
    // Where this command was called may itself be closed.
    cwd: '/',
    // Neither has a service what root's shell sets, such as NODE_OPTIONS.
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
    timeout: RUN_MS,
    ...(account === undefined ? { uid: STRANGER, gid: STRANGER } : {}),
  })
  return error === undefined
    ? { status, stdout, stderr }
    : { status: null, stdout: '', stderr: error.message }
}

/** As `pf/supervisor/yori-supervisor.sh` does. */
const become = (user: string, { group }: Account, platform: NodeJS.Platform): string[] =>
  platform === 'freebsd'
    ? ['chroot', '-n', '-u', user, '-g', group, '/']
    : ['setpriv', '--reuid', user, '--regid', group, '--init-groups', '--']

/** The line of a crash that names the error; the rest is a stack. */
function reasonOf({ status, stderr }: Ran): string {
  const lines = stderr.split('\n')
  const line = lines.find((text) => /^(?:\w+)?Error\b/.test(text)) ?? lines[0] ?? ''
  return line === '' ? `it ended with ${status ?? 'a signal'}` : line
}

const quoted = (path: string): string =>
  /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
