// Usage: npm run release -- --out DIR [--dry-run]
// Makes a release of what is committed here: tarball, Debian package, bill of materials, notes out
// of CHANGELOG.md and SHA256SUMS. Tags nothing and sends nothing anywhere.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { packageFile, packageRoot } from '../../src/core/package-root.js'
import { isProgram } from '../check/finding.js'
import { yoriDescribed } from '../package/tree.js'
import { namesOf, plan, sumsText } from './plan.js'
import type { Release, State } from './plan.js'

/** The longest step compiles and packs; one that takes this long hangs. */
const STEP_MS = 20 * 60_000

/** How things stand here. @throws when git does not answer */
export function stateOf(out: string): State {
  return {
    version: yoriDescribed().version,
    changelog: readFileSync(packageFile('CHANGELOG.md'), 'utf8'),
    dirty: asked('git', 'status', '--porcelain'),
    tags: asked('git', 'tag', '--list').split('\n'),
    inOut: existsSync(out) ? readdirSync(out) : [],
    architecture: architecture(),
  }
}

function asked(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: packageRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status === 0) return stdout
  throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

function architecture(): string | undefined {
  const { status, stdout } = spawnSync('dpkg', ['--print-architecture'], {
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : undefined
}

/**
 * Makes every file in a folder beside, and gives them their names in `out` when all are whole.
 * @throws when a step fails; nothing is in `out` then
 */
export async function makeRelease(
  out: string,
  release: Release,
  say: (line: string) => void,
): Promise<void> {
  const { files } = release
  mkdirSync(out, { recursive: true })
  const draft = mkdtempSync(join(out, '.release-'))
  try {
    say(`1 of 5: ${files.tarball} (npm pack)`)
    await run(['pack', '--pack-destination', draft])
    say(`2 of 5: ${files.deb} (npm run deb)`)
    await run(['run', 'deb', '--', '--out', draft])
    say(`3 of 5: ${files.sbom} (npm run sbom)`)
    await run(['run', 'sbom', '--', '--out', join(draft, files.sbom)])
    say(`4 of 5: ${files.notes} (CHANGELOG.md)`)
    writeFileSync(join(draft, files.notes), release.notes)
    say(`5 of 5: ${files.sums}`)
    const { tarball, deb, sbom, notes } = files
    writeFileSync(
      join(draft, files.sums),
      await sumsOf(draft, [tarball, deb, sbom, notes]),
    )
    give(draft, out, namesOf(files))
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** The names appear, the sums last; never over one that has come meanwhile. */
function give(draft: string, out: string, names: readonly string[]): void {
  const given: string[] = []
  try {
    for (const name of names) {
      linkSync(join(draft, name), join(out, name))
      given.push(name)
    }
  } catch (cause) {
    for (const name of given) rmSync(join(out, name), { force: true })
    throw cause
  }
}

/** The text of SHA256SUMS for these files of a folder. */
export async function sumsOf(folder: string, names: readonly string[]): Promise<string> {
  const sums: [string, string][] = []
  for (const name of names) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(join(folder, name)), hash)
    sums.push([name, hash.digest('hex')])
  }
  return sumsText(sums)
}

/** npm, in the clone; what it prints is shown when it fails. */
async function run(args: readonly string[]): Promise<void> {
  const child = spawn('npm', args, {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_MS,
  })
  let printed = ''
  const take = (bytes: Buffer): void => {
    printed = (printed + bytes.toString()).slice(-8000)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}\n${printed}`)
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { out: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } },
  })
  if (values.out === undefined) {
    console.error('Usage: npm run release -- --out DIR [--dry-run]')
    return 2
  }
  const out = resolve(values.out)
  const planned = plan(stateOf(out))
  if (planned.kind === 'refused') {
    console.error(['no release:', ...planned.why.map((one) => `  ${one}`)].join('\n'))
    return 1
  }
  const { release } = planned
  if (values['dry-run']) {
    console.log(`would make in ${out}:`)
    for (const name of namesOf(release.files)) console.log(`  ${name}`)
    console.log(`with these notes:\n\n${release.notes}`)
    return 0
  }
  await makeRelease(out, release, console.log)
  for (const name of namesOf(release.files))
    console.log(`${join(out, name)} (${statSync(join(out, name)).size} bytes)`)
  console.log(`next: git tag ${release.tag}`)
  return 0
}

if (isProgram(import.meta.url)) process.exitCode = await main(process.argv.slice(2))
