/**
 * Programs, and what of their options and words cannot be undone, by their manuals. A row a
 * program. Pure.
 */
import { nameOf } from './shell-words.js'

export const DESTRUCTIVE_KINDS = [
  'delete_tree',
  'git_force',
  'git_discard',
  'disk',
  'piped_shell',
  'cluster',
  'infrastructure',
  'permissions',
  'system',
  'sql_drop',
  'sql_all_rows',
  // More than is looked at.
  'too_long',
] as const

export type DestructiveKind = (typeof DESTRUCTIVE_KINDS)[number]

/** `words`: behind the program's name. */
export type Look = (words: readonly string[]) => DestructiveKind | undefined

/** Of a whole disk, or a part of it. */
export const DEVICE = /^\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|disk|rdisk|mapper\/)/
/** A short option among others, or the long one. */
function has(
  words: readonly string[],
  short: string,
  ...long: readonly string[]
): boolean {
  return words.some(
    (word) =>
      (/^-[A-Za-z]+$/.test(word) && [...short].some((one) => word.includes(one))) ||
      long.includes(word),
  )
}

/** Not within one folder: all of it. */
const WIDE =
  /^(?:\/|\/\*|~\/?\*?|\$\{?HOME\}?\/?\*?|\.|\.\/?\*?|\.\.\/?.*|\*|[A-Za-z]:\\?\*?)$/

const plain = (words: readonly string[]): readonly string[] =>
  words.filter((word) => !word.startsWith('-'))

/** Options of those who talk to a cluster, or a cloud, that take the word behind them. */
const TAKES_WORD =
  /^(?:-n|--namespace|--context|--kube-context|--kubeconfig|--cluster|--user|-s|--server|--profile|--region|--project|--cwd|-C|-chdir)$/

const always =
  (kind: DestructiveKind): Look =>
  () =>
    kind

/** `what`: words in this order at its beginning, options aside. */
function verbs(kind: DestructiveKind, ...what: readonly string[]): Look {
  return (words) => {
    const before = (at: number): string => words[at - 1] ?? ''
    const own = words.filter((_, at) => at === 0 || !TAKES_WORD.test(before(at)))
    const said = plain(own).join(' ')
    return what.some((one) => said === one || said.startsWith(`${one} `))
      ? kind
      : undefined
  }
}

/** What only tells what it would do. */
const isDry = (words: readonly string[]): boolean =>
  words.some((word) => /^--?(?:dry-?run(?:=(?:client|server|true))?|help|h)$/.test(word))

const sparing =
  (look: Look): Look =>
  (words) =>
    isDry(words) ? undefined : look(words)

export const BY_PROGRAM: Readonly<Record<string, Look | undefined>> = {
  rm: (words) => {
    const recurses = has(words, 'rR', '--recursive')
    const isForced = has(words, 'f', '--force')
    const isWide = plain(words).some((word) => WIDE.test(word))
    return recurses && (isForced || isWide) ? 'delete_tree' : undefined
  },
  rmdir: (words) =>
    words.some((word) => /^\/s$/i.test(word)) ? 'delete_tree' : undefined,
  rd: (words) => (words.some((word) => /^\/s$/i.test(word)) ? 'delete_tree' : undefined),
  del: (words) => (words.some((word) => /^\/s$/i.test(word)) ? 'delete_tree' : undefined),
  'remove-item': (words) =>
    words.some((word) => /^-r(?:ecurse)?$/i.test(word)) &&
    words.some((word) => /^-fo(?:rce)?$/i.test(word))
      ? 'delete_tree'
      : undefined,
  find: (words) => {
    const at = words.findIndex((word) => /^-(?:exec|execdir|ok)$/.test(word))
    const isRemoved = at >= 0 && nameOf(words[at + 1] ?? '') === 'rm'
    return words.includes('-delete') || isRemoved ? 'delete_tree' : undefined
  },
  git: sparing(gitKind),
  dd: (words) =>
    words.some((word) => DEVICE.test(word.replace(/^of=/, '')) && word.startsWith('of='))
      ? 'disk'
      : undefined,
  wipefs: (words) => (has(words, 'a', '--all') ? 'disk' : undefined),
  shred: always('disk'),
  blkdiscard: always('disk'),
  sgdisk: (words) => (has(words, 'Zo', '--zap-all', '--clear') ? 'disk' : undefined),
  parted: (words) =>
    words.some((word) => /^(?:mklabel|mktable|rm)$/.test(word)) ? 'disk' : undefined,
  diskutil: verbs('disk', 'eraseDisk', 'eraseVolume', 'zeroDisk', 'partitionDisk'),
  format: (words) =>
    words.some((word) => /^[A-Za-z]:$/.test(word)) ? 'disk' : undefined,
  zpool: verbs('disk', 'destroy'),
  zfs: sparing(verbs('disk', 'destroy')),
  lvremove: always('disk'),
  vgremove: always('disk'),
  kubectl: sparing(verbs('cluster', 'delete', 'drain', 'replace --force')),
  oc: sparing(verbs('cluster', 'delete')),
  helm: sparing(verbs('cluster', 'uninstall', 'delete')),
  docker: dockerKind,
  podman: dockerKind,
  'docker-compose': (words) =>
    plain(words).includes('down') && has(words, 'v', '--volumes') ? 'cluster' : undefined,
  terraform: destroys,
  tofu: destroys,
  terragrunt: destroys,
  pulumi: sparing(verbs('infrastructure', 'destroy', 'stack rm')),
  cdk: verbs('infrastructure', 'destroy'),
  vagrant: verbs('infrastructure', 'destroy'),
  serverless: verbs('infrastructure', 'remove'),
  aws: awsKind,
  gcloud: (words) =>
    plain(words).slice(0, 4).includes('delete') ? 'infrastructure' : undefined,
  az: (words) =>
    plain(words)
      .slice(0, 4)
      .some((word) => word === 'delete' || word === 'purge')
      ? 'infrastructure'
      : undefined,
  gsutil: (words) => {
    const [verb] = plain(words)
    return verb === 'rb' || (verb === 'rm' && has(words, 'rR'))
      ? 'infrastructure'
      : undefined
  },
  heroku: (words) =>
    /^(?:apps|pg|addons):(?:destroy|reset)$/.test(words[0] ?? '')
      ? 'infrastructure'
      : undefined,
  fly: verbs('infrastructure', 'apps destroy', 'destroy', 'volumes destroy'),
  chmod: (words) =>
    has(words, 'R', '--recursive') &&
    plain(words)
      .slice(1)
      .some((word) => WIDE.test(word))
      ? 'permissions'
      : undefined,
  chown: (words) =>
    has(words, 'R', '--recursive') &&
    plain(words)
      .slice(1)
      .some((word) => WIDE.test(word))
      ? 'permissions'
      : undefined,
  shutdown: always('system'),
  reboot: always('system'),
  poweroff: always('system'),
  halt: always('system'),
  init: (words) => (/^[06]$/.test(words[0] ?? '') ? 'system' : undefined),
  userdel: always('system'),
  crontab: (words) => (has(words, 'r') ? 'system' : undefined),
  iptables: (words) => (has(words, 'FX', '--flush') ? 'system' : undefined),
  nft: verbs('system', 'flush ruleset'),
  kill: (words) => (words.at(-1) === '-1' && words.length > 1 ? 'system' : undefined),
  dropdb: always('sql_drop'),
  'redis-cli': (words) =>
    words.some((word) => /^flush(?:all|db)$/i.test(word)) ? 'sql_all_rows' : undefined,
  ':': undefined,
}

function gitKind(words: readonly string[]): DestructiveKind | undefined {
  // Options before the verb: `git -C folder push`.
  let at = 0
  while ((words[at] ?? '').startsWith('-'))
    at += /^(?:-C|-c|--git-dir|--work-tree)$/.test(words[at] ?? '') ? 2 : 1
  const [verb = '', ...rest] = words.slice(at)
  if (verb === 'push') {
    if (has(rest, 'n')) return undefined
    const isForced = has(rest, 'fd', '--force', '--mirror', '--delete', '--prune')
    return isForced ||
      plain(rest)
        .slice(1)
        .some((ref) => /^[+:]/.test(ref))
      ? 'git_force'
      : undefined
  }
  if (verb === 'reset') return rest.includes('--hard') ? 'git_discard' : undefined
  if (verb === 'clean')
    return has(rest, 'f', '--force') && !has(rest, 'n') ? 'git_discard' : undefined
  if (verb === 'checkout' || verb === 'restore') {
    const paths = plain(rest)
    const isAll = paths.some((path) => path === '.' || path === ':/')
    return isAll && !has(rest, 'bB', '--staged') ? 'git_discard' : undefined
  }
  return verb === 'filter-branch' || verb === 'filter-repo' ? 'git_force' : undefined
}

function dockerKind(words: readonly string[]): DestructiveKind | undefined {
  const [first, second] = plain(words)
  if (second === 'prune') return 'cluster'
  if (first === 'volume' && second === 'rm') return 'cluster'
  if (first === 'compose' && second === 'down' && has(words, 'v', '--volumes'))
    return 'cluster'
  return undefined
}

function destroys(words: readonly string[]): DestructiveKind | undefined {
  const said = plain(words)
  const isRun = said[0] === 'run-all' ? said[1] : said[0]
  if (isRun === 'destroy') return 'infrastructure'
  if (isRun === 'apply' && words.some((word) => /^--?destroy$/.test(word)))
    return 'infrastructure'
  return isRun === 'state' && said[1] === 'rm' ? 'infrastructure' : undefined
}

function awsKind(words: readonly string[]): DestructiveKind | undefined {
  if (words.some((word) => /^--(?:dry-?run|dryrun)$/.test(word))) return undefined
  const [service, verb = ''] = plain(words)
  if (service === 's3')
    return verb === 'rb' || (verb === 'rm' && words.includes('--recursive'))
      ? 'infrastructure'
      : undefined
  return /^(?:delete|terminate|purge|deregister)-/.test(verb)
    ? 'infrastructure'
    : undefined
}
