/**
 * Installing and uninstalling as lists of steps, each of which says in a line what it does.
 * Pure: nothing is looked at or done here. What `install` made is written into a manifest, and
 * `uninstall` undoes that and nothing else.
 */
import { createHash } from 'node:crypto'
import { steeringFiles } from '../../pf/steering-files.js'
import {
  configHead,
  logrotateFile,
  newsyslogFile,
  rcScript,
  systemdUnit,
} from './service-texts.js'
import type { ServiceSettings } from './service-texts.js'

export type Step =
  | {
      readonly kind: 'user'
      readonly name: string
      readonly home: string
      readonly shell: string
    }
  | {
      readonly kind: 'directory'
      readonly path: string
      readonly mode: number
      readonly owner: string
    }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly mode: number
      readonly text: string
      /** One that is there already is the administrator's and stays. */
      readonly keep: boolean
    }
  /** `allowed`: its failure is told and changes nothing. */
  | {
      readonly kind: 'command'
      readonly argv: readonly string[]
      readonly allowed: boolean
    }
  /** `sha256` is that of what was written; without it the file goes whatever it holds. */
  | { readonly kind: 'remove-file'; readonly path: string; readonly sha256?: string }
  | { readonly kind: 'remove-directory'; readonly path: string; readonly all: boolean }
  | { readonly kind: 'remove-user'; readonly name: string }

export interface Manifest {
  readonly version: 1
  readonly system: 'systemd' | 'rc.d'
  readonly user: string
  /** The user was not there before. */
  readonly madeUser: boolean
  readonly directories: readonly string[]
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
  readonly stateDir: string
}

export function installSteps(settings: ServiceSettings, starter: string): Step[] {
  const { layout, user } = settings
  const config = layout.config.slice(0, layout.config.lastIndexOf('/'))
  return [
    { kind: 'user', name: user, home: layout.stateDir, shell: layout.nologin },
    { kind: 'directory', path: config, mode: 0o755, owner: 'root' },
    { kind: 'directory', path: layout.stateDir, mode: 0o700, owner: user },
    { kind: 'directory', path: layout.logDir, mode: 0o750, owner: user },
    // Root's own: what lies here root obeys.
    ...(settings.steer
      ? [
          {
            kind: 'directory',
            path: steerDir(layout),
            mode: 0o755,
            owner: 'root',
          } as const,
        ]
      : []),
    {
      kind: 'file',
      path: layout.config,
      mode: 0o644,
      text: `${configHead(settings)}\n${starter}`,
      keep: true,
    },
    ...SYSTEM_FILES[layout.system](settings),
    ...start(settings),
  ]
}

const SYSTEM_FILES = {
  systemd: (settings: ServiceSettings): Step[] => [
    file('/etc/systemd/system/yori.service', 0o644, systemdUnit(settings)),
    file('/etc/logrotate.d/yori', 0o644, logrotateFile(settings)),
  ],
  'rc.d': (settings: ServiceSettings): Step[] => [
    file('/usr/local/etc/rc.d/yori', 0o755, rcScript(settings)),
    file('/usr/local/etc/newsyslog.conf.d/yori.conf', 0o644, newsyslogFile(settings)),
  ],
} as const

const steerDir = ({ stateDir }: { readonly stateDir: string }): string =>
  steeringFiles(stateDir).directory

const file = (path: string, mode: number, text: string): Step => ({
  kind: 'file',
  path,
  mode,
  text,
  keep: false,
})

const command = (...argv: string[]): Step => ({ kind: 'command', argv, allowed: false })

function start({ layout }: ServiceSettings): Step[] {
  return layout.system === 'systemd'
    ? [
        command('systemctl', 'daemon-reload'),
        command('systemctl', 'enable', '--now', 'yori'),
      ]
    : [command('sysrc', 'yori_enable=YES'), command('service', 'yori', 'start')]
}

/**
 * The service ends first, and its supervisor takes steering off with it: nobody is led to what
 * is not there. `at`: the manifest itself.
 */
export function uninstallSteps(manifest: Manifest, at: string, purge: boolean): Step[] {
  const allowed = (...argv: string[]): Step => ({ kind: 'command', argv, allowed: true })
  const stop =
    manifest.system === 'systemd'
      ? [allowed('systemctl', 'disable', '--now', 'yori')]
      : [allowed('service', 'yori', 'onestop'), allowed('sysrc', '-x', 'yori_enable')]
  const after =
    manifest.system === 'systemd' ? [allowed('systemctl', 'daemon-reload')] : []
  return [
    ...stop,
    ...manifest.files.map((made): Step => ({ kind: 'remove-file', ...made })),
    { kind: 'remove-file', path: at },
    ...after,
    ...manifest.directories.toReversed().map((path): Step => {
      const all = path === steerDir(manifest) || (purge && path === manifest.stateDir)
      return { kind: 'remove-directory', path, all }
    }),
    ...(manifest.madeUser ? [{ kind: 'remove-user', name: manifest.user } as const] : []),
  ]
}

export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'user':
      return `make the user ${step.name} (home ${step.home}, no login), if it is not there`
    case 'directory':
      return `make ${step.path} (${octal(step.mode)}, ${step.owner})`
    case 'file':
      return `write ${step.path} (${octal(step.mode)})${step.keep ? ', if it is not there' : ''}`
    case 'command':
      return `run ${step.argv.join(' ')}`
    case 'remove-file':
      return `remove ${step.path}${step.sha256 === undefined ? '' : ', unless it was changed since'}`
    case 'remove-directory':
      return step.all
        ? `remove ${step.path} with all that is in it`
        : `remove ${step.path}, if it is empty`
    case 'remove-user':
      return `remove the user ${step.name}`
  }
}

export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

const octal = (mode: number): string => `0${mode.toString(8)}`
