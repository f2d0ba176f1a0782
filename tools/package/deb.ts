// Usage: npm run deb -- --out DIR [--node FILE]
// Makes yori_VERSION_ARCH.deb of what is built here: YORI, what it runs on, and the Node.js that
// the SQLite binary was built for (this one, or FILE). It asks nobody but dpkg-deb.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { starterFile } from '../../config/starter.js'
import { steeringFiles, supervisorArguments } from '../../pf/steering-files.js'
import { packageFile } from '../../src/core/package-root.js'
import { LAYOUTS } from '../../src/service/layout.js'
import { FLAGS } from '../../src/service/service-program.js'
import {
  configHead,
  logrotateFile,
  systemdUnit,
} from '../../src/service/service-texts.js'
import type { ServiceSettings } from '../../src/service/service-texts.js'
import { isProgram } from '../check/finding.js'
import { APP, command, conffiles, control, copyright } from './deb-texts.js'
import { postinst, postrm, prerm } from './deb-texts.js'
import type { DebSettings } from './deb-texts.js'
import { writeTree, yoriDescribed } from './tree.js'

const PROGRAM_MS = 300_000
const layout = LAYOUTS.systemd
const SERVICE: ServiceSettings = {
  layout,
  user: 'yori',
  steer: true,
  program: {
    node: `${APP}/node`,
    script: `${APP}/dist/src/cli/main.js`,
    supervisor: (stateDir, user, words) => [
      `${APP}/pf/supervisor/yori-supervisor.sh`,
      ...supervisorArguments(stateDir, { user, command: words }),
    ],
  },
}

/** Makes the package in `out`, and returns its path. @throws when a program fails */
export function makeDeb(out: string, node: string): string {
  const { version } = yoriDescribed()
  const architecture = run('dpkg', '--print-architecture')
  const root = mkdtempSync(join(tmpdir(), 'yori-deb-'))
  try {
    chmodSync(root, 0o755)
    writeTree(join(root, APP))
    put(root, `${APP}/node`, readFileSync(node), 0o755)
    put(root, '/usr/bin/yori', command(FLAGS), 0o755)
    put(root, '/usr/lib/systemd/system/yori.service', unit())
    put(root, '/etc/logrotate.d/yori', logrotateFile(SERVICE))
    put(root, layout.config, `${configHead(SERVICE)}\n${starterFile()}`)
    const licence = readFileSync(packageFile('LICENSE'), 'utf8')
    put(root, '/usr/share/doc/yori/copyright', copyright(licence, run(node, '--version')))
    const settings: DebSettings = {
      version,
      architecture,
      size: Math.ceil(bytesBelow(root) / 1024),
      user: SERVICE.user,
      stateDir: layout.stateDir,
      steerDir: steeringFiles(layout.stateDir).directory,
      logDir: layout.logDir,
    }
    put(root, '/DEBIAN/control', control(settings))
    put(root, '/DEBIAN/conffiles', conffiles())
    put(root, '/DEBIAN/postinst', postinst(settings), 0o755)
    put(root, '/DEBIAN/prerm', prerm(), 0o755)
    put(root, '/DEBIAN/postrm', postrm(settings), 0o755)
    // A checkout may be its owner’s alone; what is installed is read by everybody.
    run('chmod', '-R', 'u=rwX,go=rX', join(root, 'usr'))
    mkdirSync(out, { recursive: true })
    const file = join(resolve(out), `yori_${version}_${architecture}.deb`)
    run('dpkg-deb', '--build', '--root-owner-group', '-Zzstd', '-z6', root, file)
    return file
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** The unit of `yori service install`, named by whose it is. */
function unit(): string {
  const [, ...rest] = systemdUnit(SERVICE).split('\n')
  return ['# Of the package yori; `systemctl edit yori` adds to it.', ...rest].join('\n')
}

function put(root: string, path: string, text: string | Buffer, mode = 0o644): void {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
}

function bytesBelow(folder: string): number {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return paths.reduce((sum, path) => sum + lstatSync(join(folder, path)).size, 0)
}

function run(program: string, ...args: string[]): string {
  const done = spawnSync(program, args, { encoding: 'utf8', timeout: PROGRAM_MS })
  if (done.status === 0) return done.stdout.trim()
  const why = done.error?.message ?? done.stderr
  throw new Error(`${program} ${args.join(' ')}: ${why}`)
}

if (isProgram(import.meta.url)) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, node: { type: 'string' } },
  })
  if (values.out === undefined) {
    console.error('Usage: npm run deb -- --out DIR [--node FILE]')
    process.exitCode = 2
  } else {
    console.log(makeDeb(values.out, values.node ?? process.execPath))
  }
}
