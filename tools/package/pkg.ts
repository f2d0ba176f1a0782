// Usage: npm run pkg -- --out DIR [--plain]
// Makes os-yori-VERSION.pkg, the plugin of OPNsense with YORI in it, of what is built here; with
// --plain yori-VERSION.pkg, the same for a FreeBSD without OPNsense. It asks nobody but zstd (or
// xz, where zstd is not there): pkg(8) reads both, in a tar with the manifest in front.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { starterFile } from '../../config/starter.js'
import { packageFile } from '../../src/core/package-root.js'
import { LAYOUTS } from '../../src/service/layout.js'
import { FLAGS } from '../../src/service/service-program.js'
import { configHead } from '../../src/service/service-texts.js'
import { isProgram } from '../check/finding.js'
import { APP, EXAMPLES, command, compactManifest } from './pkg-texts.js'
import { manifest, versionFile } from './pkg-texts.js'
import type { Kind } from './pkg-texts.js'
import { tar } from './tar.js'
import type { Entry } from './tar.js'
import { writeTree, yoriDescribed } from './tree.js'

const PROGRAM_MS = 120_000
const MOST_BYTES = 1024 ** 3
/** Compiled for the machine that packs: FreeBSD has `node:sqlite`, and koffi’s own or none. */
const LEFT_OUT = new Set(['better-sqlite3', '@koromix/koffi-linux-x64'])
/** Nobody loads them; the sources of YORI stand beside what is compiled of them. */
const FOR_DEVELOPERS = new RegExp(
  [
    '\\.(?:map|d\\.[cm]?ts)$',
    '/node_modules/.*\\.(?:md|ts)$',
    '/koffi/(?:vendor|doc)$',
    '/(?:zod/src|ajv/lib|yaml/browser|undici/(?:docs|types)|(?:pino|thread-stream)/test)$',
  ].join('|'),
)
const layout = LAYOUTS['rc.d']
/** These may be run; all else is read. */
const PROGRAM =
  /^\/usr\/local\/(?:bin|etc\/rc\.d)\/|\/scripts\/[^.]*\.(?:sh|py|php)$|\.sh$/

/** Makes the package in `out`, and returns its path. @throws when a program fails */
export function makePkg(out: string, kind: Kind): string {
  const { version } = yoriDescribed()
  const files = entriesOf(kind, version)
  const sums = Object.fromEntries(
    files.map(({ path, content }) => [
      path,
      createHash('sha256').update(content).digest('hex'),
    ]),
  )
  const settings = {
    kind,
    version,
    description: readFileSync(packageFile('pf', 'opnsense', 'pkg-descr'), 'utf8').trim(),
    size: files.reduce((total, { content }) => total + content.length, 0),
    sums,
  }
  const words = [
    { path: '+COMPACT_MANIFEST', value: compactManifest(settings) },
    { path: '+MANIFEST', value: manifest(settings) },
  ].map(({ path, value }) => ({
    path,
    mode: 0o644,
    content: Buffer.from(JSON.stringify(value)),
  }))
  const seconds = Math.floor(statSync(packageFile('package.json')).mtimeMs / 1000)
  mkdirSync(out, { recursive: true })
  const file = join(resolve(out), `${kind}-${version}.pkg`)
  writeFileSync(file, compressed(tar([...words, ...files], seconds)))
  return file
}

/** In the order of their paths, so that the same tree gives the same package. */
function entriesOf(kind: Kind, version: string): Entry[] {
  const files = new Map<string, Buffer>()
  const app = mkdtempSync(join(tmpdir(), 'yori-pkg-'))
  try {
    writeTree(app, { without: LEFT_OUT, leave: FOR_DEVELOPERS, asBuilt: true })
    for (const [path, content] of filesBelow(app)) files.set(`${APP}/${path}`, content)
  } finally {
    rmSync(app, { recursive: true, force: true })
  }
  const plugin = packageFile('pf', 'opnsense', 'src')
  for (const [path, content] of filesBelow(plugin))
    if (kind === 'os-yori' || path === 'etc/rc.d/yori')
      files.set(`/usr/local/${path}`, content)
  const policies = packageFile('config', 'policies')
  for (const [path, content] of filesBelow(policies))
    if (path.endsWith('.rego') && !path.endsWith('_test.rego'))
      files.set(`${EXAMPLES}/policies/${path}`, content)
  const put = (path: string, text: string): unknown => files.set(path, Buffer.from(text))
  put(`${EXAMPLES}/yori.conf.sample`, `${configHead({ layout })}\n${starterFile()}`)
  put(`${EXAMPLES}/pf.conf.sample`, pfConf(app))
  put('/usr/local/bin/yori', command(FLAGS))
  if (kind === 'os-yori') put('/usr/local/opnsense/version/yori', versionFile(version))
  else put('/usr/local/etc/newsyslog.conf.d/yori.conf', newsyslog())
  return [...files]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, content]) => ({
      path,
      mode: PROGRAM.test(path) ? 0o755 : 0o644,
      content,
    }))
}

const newsyslog = (): string =>
  readFileSync(
    packageFile(
      'pf/opnsense/src/opnsense/service/templates/OPNsense/YORI/newsyslog.conf',
    ),
    'utf8',
  )

/** The lines of a pf.conf(5) that lead to the anchor, for a network on em1. */
function pfConf(cwd: string): string {
  const main = packageFile('dist', 'src', 'cli', 'main.js')
  const words = ['pf', 'generate', '--backend', 'pf-conf', '--lan', 'em1']
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
    cwd: tmpdir(),
    env: { ...process.env, HOME: cwd, YORI_CONFIG: '' },
    encoding: 'utf8',
    timeout: PROGRAM_MS,
  })
  if (status !== 0) throw new Error(`yori ${words.join(' ')}: ${stderr}`)
  return stdout
}

function* filesBelow(folder: string): Generator<[path: string, content: Buffer]> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    yield [path.slice(folder.length + 1), readFileSync(path)]
  }
}

function compressed(archive: Buffer): Buffer {
  const programs = [
    ['zstd', '-q', '-6', '-c'],
    ['xz', '-q', '-2', '-c'],
  ] as const
  for (const [program, ...words] of programs) {
    const done = spawnSync(program, words, {
      input: archive,
      maxBuffer: MOST_BYTES,
      timeout: PROGRAM_MS,
    })
    if (done.status === 0) return done.stdout
    if (
      done.error === undefined ||
      !('code' in done.error) ||
      done.error.code !== 'ENOENT'
    )
      throw new Error(`${program}: ${done.error?.message ?? done.stderr.toString()}`)
  }
  throw new Error('neither zstd nor xz is here: apt-get install zstd')
}

if (isProgram(import.meta.url)) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, plain: { type: 'boolean', default: false } },
  })
  if (values.out === undefined) {
    console.error('Usage: npm run pkg -- --out DIR [--plain]')
    process.exitCode = 2
  } else {
    console.log(makePkg(values.out, values.plain ? 'yori' : 'os-yori'))
  }
}
