/** Where an installed YORI keeps what, by system. Pure. */

export type System = 'systemd' | 'rc.d'

export interface Layout {
  readonly system: System
  readonly config: string
  readonly stateDir: string
  readonly logDir: string
  readonly logFile: string
  /** What was installed, for uninstalling. */
  readonly manifest: string
  readonly nologin: string
}

const COMMON = { logDir: '/var/log/yori', logFile: '/var/log/yori/yori.log' } as const

export const LAYOUTS: Readonly<Record<System, Layout>> = {
  systemd: {
    ...COMMON,
    system: 'systemd',
    config: '/etc/yori/yori.conf',
    stateDir: '/var/db/yori',
    manifest: '/etc/yori/service.json',
    nologin: '/usr/sbin/nologin',
  },
  'rc.d': {
    ...COMMON,
    system: 'rc.d',
    config: '/usr/local/etc/yori/yori.conf',
    stateDir: '/var/db/yori',
    manifest: '/usr/local/etc/yori/service.json',
    nologin: '/usr/sbin/nologin',
  },
}

/** Undefined where neither is at home: there `yori run` is the way. */
export function systemOf(platform: NodeJS.Platform): System | undefined {
  if (platform === 'linux') return 'systemd'
  return platform === 'freebsd' ? 'rc.d' : undefined
}
