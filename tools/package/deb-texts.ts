/**
 * The words of a Debian package: deb-control(5), deb-conffiles(5), maintainer scripts after
 * Debian Policy 6 and 10. Pure: the same settings give the same bytes.
 */

export interface DebSettings {
  readonly version: string
  /** As `dpkg --print-architecture` says it. */
  readonly architecture: string
  /** Of all files, KiB. */
  readonly size: number
  readonly user: string
  readonly stateDir: string
  readonly steerDir: string
  readonly logDir: string
}

/** Where it lies: nothing of it is on the path but one command. */
export const APP = '/usr/lib/yori'

export function control({ version, architecture, size }: DebSettings): string {
  return text([
    'Package: yori',
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: The YORI authors <yori@localhost>',
    'Section: net',
    'Priority: optional',
    `Installed-Size: ${size}`,
    'Depends: libc6 (>= 2.28), libstdc++6 (>= 8), passwd, openssl, curl',
    'Recommends: nftables, iproute2, logrotate',
    'Description: sees what devices ask which LLM, and sets limits',
    ' A transparent proxy for a home, an office or a laptop. It opens connections to LLM',
    ' providers with a CA of its own, records them and decides by policy; every other',
    ' connection passes untouched. It brings the Node.js that it runs on.',
  ])
}

/** What an administrator may change, and an upgrade keeps. */
export const conffiles = (): string =>
  text(['/etc/yori/yori.conf', '/etc/logrotate.d/yori'])

/** `postinst configure`: a user, its folders, the service. Done again it changes nothing. */
export function postinst(settings: DebSettings): string {
  const { user, stateDir, steerDir, logDir } = settings
  return text([
    '#!/bin/sh',
    'set -e',
    '[ "$1" = configure ] || exit 0',
    '',
    `if ! getent passwd ${user} >/dev/null; then`,
    `  useradd --system --user-group --home-dir ${stateDir} --no-create-home \\`,
    `    --shell /usr/sbin/nologin ${user}`,
    'fi',
    '# What is there keeps its owner and mode: keys and records of the version before.',
    `[ -d ${stateDir} ] || install -d -m 0700 -o ${user} -g ${user} ${stateDir}`,
    `[ -d ${logDir} ] || install -d -m 0750 -o ${user} -g ${user} ${logDir}`,
    '# Root obeys what lies here, so that it is root’s.',
    `[ -d ${steerDir} ] || install -d -m 0755 -o root -g root ${steerDir}`,
    '',
    'if [ -d /run/systemd/system ]; then',
    '  systemctl daemon-reload',
    '  if [ -z "$2" ]; then',
    '    systemctl enable --now yori',
    '  else',
    '    systemctl try-restart yori',
    '  fi',
    'fi',
  ])
}

/** The service ends before its files go; its supervisor takes steering off with it. */
export const prerm = (): string =>
  text([
    '#!/bin/sh',
    'set -e',
    'if [ "$1" = remove ] && [ -d /run/systemd/system ]; then',
    '  systemctl disable --now yori',
    'fi',
  ])

/** Removing keeps CA and records; purging is the word that takes them. */
export function postrm({ user, stateDir, steerDir, logDir }: DebSettings): string {
  return text([
    '#!/bin/sh',
    'set -e',
    '[ ! -d /run/systemd/system ] || systemctl daemon-reload',
    '[ "$1" = purge ] || exit 0',
    `rm -rf ${stateDir} ${steerDir} ${logDir}`,
    'rmdir /etc/yori 2>/dev/null || true',
    `! getent passwd ${user} >/dev/null || userdel ${user}`,
  ])
}

/** /usr/bin/yori */
export const command = (flags: readonly string[]): string =>
  text([
    '#!/bin/sh',
    `exec ${APP}/node ${flags.join(' ')} ${APP}/dist/src/cli/main.js "$@"`,
  ])

/** Debian Policy 12.5. */
export const copyright = (licence: string, node: string): string =>
  text([
    'YORI:',
    '',
    licence.trimEnd(),
    '',
    `It brings Node.js ${node}, https://nodejs.org, under the MIT licence; the packages in`,
    `${APP}/node_modules have their licences beside them.`,
  ])

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`
