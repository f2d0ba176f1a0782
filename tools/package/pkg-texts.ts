/**
 * The words of a package of FreeBSD: pkg-create(8), its manifest in JSON, which is UCL, too. Of
 * OPNsense's plugin the scripts do what its build would have them do. Pure.
 */

/** Where it lies: nothing of it is on the path but one command. */
export const APP = '/usr/local/lib/yori'
export const CONFIG = '/usr/local/etc/yori'
export const EXAMPLES = '/usr/local/share/examples/yori'
/** FreeBSD's package of Node.js: with `node:sqlite`, and of long-term support. */
const NODE = { name: 'node24', origin: 'www/node24', version: '24.0.0' }

export type Kind = 'os-yori' | 'yori'

export interface PkgSettings {
  readonly kind: Kind
  readonly version: string
  readonly description: string
  /** Of all files, bytes. */
  readonly size: number
  /** By path, SHA-256 in hex. */
  readonly sums: Readonly<Record<string, string>>
}

/** What pkg reads first, without files and scripts. */
export function compactManifest({ kind, version, size, description }: PkgSettings) {
  const plugin = kind === 'os-yori'
  return {
    name: kind,
    origin: plugin ? 'opnsense/os-yori' : 'security/yori',
    version,
    comment: 'Sees what devices ask which LLM, and sets limits',
    maintainer: 'yori@localhost',
    www: 'https://yori.home.arpa/',
    // Nothing in it is compiled for a machine but what koffi brings by itself.
    abi: 'FreeBSD:*',
    arch: 'freebsd:*',
    prefix: '/usr/local',
    flatsize: size,
    licenselogic: 'single',
    licenses: ['MIT'],
    desc: description,
    categories: plugin ? ['sysutils', 'security'] : ['security'],
    deps: { [NODE.name]: { origin: NODE.origin, version: NODE.version } },
    annotations: plugin ? annotations(version) : {},
  }
}

export function manifest(settings: PkgSettings) {
  return {
    ...compactManifest(settings),
    // `1$` is what pkg writes before a SHA-256 in hex.
    files: Object.fromEntries(
      Object.entries(settings.sums).map(([path, sum]) => [path, `1$${sum}`]),
    ),
    directories: {
      [CONFIG]: 'y',
      [`${CONFIG}/policies`]: 'y',
    },
    scripts: {
      'post-install': postInstall(settings.kind),
      'pre-deinstall': preDeinstall(),
      'post-deinstall': postDeinstall(settings.kind),
    },
  }
}

/** `/usr/local/opnsense/version/yori`: what System: Firmware shows of a plugin. */
export const versionFile = (version: string): string =>
  `${JSON.stringify(annotations(version), undefined, 4)}\n`

const annotations = (version: string) => ({
  product_abi: '26.7',
  product_arch: 'any',
  product_email: 'yori@localhost',
  product_id: 'os-yori',
  product_name: 'yori',
  product_tier: '3',
  product_version: version,
  product_website: 'https://yori.home.arpa/',
})

/** /usr/local/bin/yori */
export const command = (flags: readonly string[]): string =>
  text([
    '#!/bin/sh',
    `exec /usr/local/bin/node ${flags.join(' ')} ${APP}/dist/src/cli/main.js "$@"`,
  ])

/** A user, its folders, and the service again when it ran. Done again it changes nothing. */
function postInstall(kind: Kind): string {
  return text([
    'pw groupshow yori >/dev/null 2>&1 || pw groupadd yori',
    'pw usershow yori >/dev/null 2>&1 ||',
    '  pw useradd yori -g yori -d /var/db/yori -s /usr/sbin/nologin -c YORI',
    "# Whoever may open /dev/pf may ask where a packet wanted to go: OPNsense's group for that.",
    '! pw groupshow proxy >/dev/null 2>&1 || pw groupmod proxy -m yori',
    '# What is there keeps its owner and mode: keys and records of the version before.',
    '[ -d /var/db/yori ] || install -d -m 0700 -o yori -g yori /var/db/yori',
    '[ -d /var/log/yori ] || install -d -m 0750 -o yori -g yori /var/log/yori',
    '[ -d /var/db/yori-steer ] || install -d -m 0755 -o root -g wheel /var/db/yori-steer',
    `install -d -m 0750 -o root -g yori ${CONFIG} ${CONFIG}/policies`,
    ...(kind === 'os-yori'
      ? [
          '# As the build of plugins has it: the page, its model and its actions come into use.',
          'if [ -x /usr/local/etc/rc.d/configd ]; then',
          '  service configd status >/dev/null 2>&1 && service configd restart',
          'fi',
          'if [ -f /usr/local/opnsense/mvc/script/run_migrations.php ]; then',
          '  /usr/local/opnsense/mvc/script/run_migrations.php OPNsense/YORI',
          'fi',
          'if [ -f /usr/local/etc/rc.configure_plugins ]; then',
          '  /usr/local/etc/rc.configure_plugins POST_INSTALL',
          'fi',
          'if [ -x /usr/local/sbin/configctl ]; then',
          '  /usr/local/sbin/configctl template reload OPNsense/YORI',
          'fi',
        ]
      : [
          `[ -e ${CONFIG}/yori.conf ] ||`,
          `  install -m 0640 -o root -g yori ${EXAMPLES}/yori.conf.sample ${CONFIG}/yori.conf`,
        ]),
    '! service yori enabled || service yori start || true',
  ])
}

/** The service ends before its files go, and its packets go their own way again. */
function preDeinstall(): string {
  return text([
    'service yori onestop >/dev/null 2>&1 || true',
    '! command -v pfctl >/dev/null || pfctl -q -a yori -f /dev/null 2>/dev/null || true',
    'for table in yori_llm yori_exempt yori_blocked yori_clients; do',
    '  ! command -v pfctl >/dev/null || pfctl -q -t "$table" -T flush 2>/dev/null || true',
    'done',
    'ifconfig lo0 inet6 fd79:6f72:6900::1 -alias 2>/dev/null || true',
  ])
}

/** CA and records stay: a version that comes next finds them. */
function postDeinstall(kind: Kind): string {
  return text([
    ...(kind === 'os-yori'
      ? [
          'rm -f /usr/local/etc/unbound.opnsense.d/yori.conf /usr/local/etc/dnsmasq.conf.d/yori.conf',
          'rm -f /etc/rc.conf.d/yori /etc/newsyslog.conf.d/yori',
          'if [ -x /usr/local/sbin/configctl ]; then',
          '  /usr/local/sbin/configctl configd restart >/dev/null 2>&1 || true',
          '  /usr/local/sbin/configctl filter reload >/dev/null 2>&1 || true',
          'fi',
        ]
      : []),
    'echo "The authority, the record and the settings of YORI stay: /var/db/yori, /usr/local/etc/yori."',
  ])
}

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`
