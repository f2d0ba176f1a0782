/**
 * The files by which a system starts YORI and rotates its log. Pure: the same settings give
 * the same bytes. Names and paths come in validated; see `commands/run/service-command.ts`.
 */
import { steeringFiles } from '../../pf/steering-files.js'
import { FLAGS } from './service-program.js'
import type { Program } from './service-program.js'
import type { Layout } from './layout.js'

export interface ServiceSettings {
  readonly layout: Layout
  readonly user: string
  readonly program: Program
  /** Root's supervisor runs YORI and owns steering; without it YORI is a proxy and no more. */
  readonly steer: boolean
}

/**
 * systemd.service(5), systemd.exec(5). With steering the process that systemd starts is root's
 * supervisor, which gives YORI itself away to the user: so capabilities stand here that only
 * the supervisor uses. `MemoryDenyWriteExecute` would keep V8 from compiling.
 */
export function systemdUnit(settings: ServiceSettings): string {
  const { layout, user, program, steer } = settings
  const identity = steer ? [] : [`User=${user}`, `Group=${user}`]
  const paths = [program.node, program.script]
  const capabilities = steer ? STEERING_CAPABILITIES : ''
  const writable = steer
    ? `${layout.stateDir} ${steeringFiles(layout.stateDir).directory} ${layout.logDir}`
    : `${layout.stateDir} ${layout.logDir}`
  return text([
    '# Installed by `yori service install`; `yori service uninstall` takes it away.',
    '[Unit]',
    'Description=YORI, a transparent proxy for LLM traffic',
    'Wants=network-online.target',
    'After=network-online.target nftables.service',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${commandLine(settings)}`,
    ...(steer ? [] : ['ExecReload=/bin/kill -HUP $MAINPID']),
    'Restart=always',
    'RestartSec=1',
    '# YORI lets exchanges under way finish; after that nothing waits for it.',
    'TimeoutStopSec=45',
    'KillMode=mixed',
    ...identity,
    'UMask=0077',
    'LimitNOFILE=65536',
    'MemoryMax=512M',
    'OOMPolicy=kill',
    '',
    `ReadWritePaths=${writable}`,
    // In memory: a full disk must not end steering.
    ...(steer ? ['RuntimeDirectory=yori-steer'] : []),
    'ProtectSystem=strict',
    `ProtectHome=${paths.some(isInHome) ? 'read-only' : 'true'}`,
    'PrivateTmp=true',
    'PrivateDevices=true',
    'ProtectClock=true',
    'ProtectHostname=true',
    'ProtectKernelLogs=true',
    'ProtectKernelModules=true',
    `ProtectKernelTunables=${steer ? 'false' : 'true'}`,
    'ProtectControlGroups=true',
    `ProtectProc=${steer ? 'default' : 'invisible'}`,
    ...(steer ? [] : ['ProcSubset=all']),
    `CapabilityBoundingSet=${capabilities}`,
    ...(steer ? [] : ['AmbientCapabilities=']),
    'NoNewPrivileges=true',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    `RestrictNamespaces=${steer ? 'net' : 'true'}`,
    'RestrictRealtime=true',
    'RestrictSUIDSGID=true',
    'LockPersonality=true',
    'RemoveIPC=true',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallErrorNumber=EPERM',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ])
}

/** What `ProtectHome=true` would make empty. */
const isInHome = (path: string): boolean => /^\/(?:home|root|run\/user)\//.test(path)

/**
 * NET_ADMIN loads rules; NET_RAW is what YORI keeps, to take connections to foreign addresses;
 * SETUID, SETGID and SETPCAP give YORI to its user; KILL ends it when it hangs; DAC_READ_SEARCH
 * reads the table in a state directory that is its user's alone; SYS_ADMIN makes the network
 * namespace of the probe, the one kind of namespace that is left to it.
 */
const STEERING_CAPABILITIES =
  'CAP_NET_ADMIN CAP_NET_RAW CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_KILL CAP_DAC_READ_SEARCH ' +
  'CAP_SYS_ADMIN'

/** rc.subr(8), daemon(8). */
export function rcScript(settings: ServiceSettings): string {
  const { layout, user, steer } = settings
  const asUser = steer ? '' : ` -u ${user}`
  return text([
    '#!/bin/sh',
    '# Installed by `yori service install`; `yori service uninstall` takes it away.',
    '#',
    '# PROVIDE: yori',
    '# REQUIRE: NETWORKING pf syslogd',
    '# KEYWORD: shutdown',
    '',
    '# shellcheck disable=SC1091,SC2034',
    '. /etc/rc.subr',
    '',
    'name=yori',
    'rcvar=yori_enable',
    'load_rc_config "$name"',
    ': "${yori_enable:=NO}"',
    '',
    'pidfile=/var/run/yori.pid',
    '# daemon(8) starts it again whenever it ends.',
    'command=/usr/sbin/daemon',
    `command_args="-r -R 1 -P $pidfile -t yori -S${asUser} ${commandLine(settings)}"`,
    `required_files=${layout.config}`,
    'extra_commands=reload',
    'reload_cmd=yori_reload',
    '',
    '# A reload reads the configuration again; the pid file is that of daemon(8).',
    'yori_reload() {',
    `  pkill -HUP -u ${user} -f '${settings.program.script} run'`,
    '}',
    '',
    'run_rc_command "$1"',
  ])
}

/** logrotate(8). YORI sees by itself that its file was moved. */
export function logrotateFile({ layout, user }: ServiceSettings): string {
  return text([
    `${layout.logFile} {`,
    '  weekly',
    '  maxsize 10M',
    '  rotate 8',
    '  missingok',
    '  notifempty',
    '  compress',
    '  delaycompress',
    `  create 0640 ${user} ${user}`,
    `  su ${user} ${user}`,
    '}',
  ])
}

/** newsyslog.conf(5): 8 files, each of 10 MB or a week; J compresses, C creates, N signals nobody. */
export function newsyslogFile({ layout, user }: ServiceSettings): string {
  return text([
    '# logfile                owner:group  mode count size when flags',
    `${layout.logFile}  ${user}:${user}  640  8  10240  168  JCN`,
  ])
}

/** What the configuration begins with; the commented starter file follows. */
export function configHead({ layout }: Pick<ServiceSettings, 'layout'>): string {
  return text([`state_dir: ${layout.stateDir}`, 'log:', `  file: ${layout.logFile}`])
}

/** Words of a unit file and of a shell both: no word here needs quoting. */
function commandLine({ layout, user, program, steer }: ServiceSettings): string {
  const yori = [program.node, ...FLAGS, program.script, 'run', '--config', layout.config]
  if (!steer) return yori.join(' ')
  return ['/bin/sh', ...program.supervisor(layout.stateDir, user, yori)].join(' ')
}

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`
