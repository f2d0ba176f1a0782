// Usage: by walk.ts, inside the namespace: walk-inside.js CLONE ROOT [WORDS...]
// One line of JSON a walk; the page when all were walked.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'
import { runProgram } from '../support/programs.js'
import { AgentsOrigin } from './origin.js'
import { ORIGIN, walks } from './walks.js'
import type { Walk } from './walks.js'

const [clone = '', root = '', ...words] = process.argv.slice(2)
const LIMITS = { commands: 3, seconds: 10 }
const WALK_MS = 120_000

interface Walked {
  readonly walk: Walk
  readonly commands: number
  /** From the first command until its exchange had ended and stood in the record. */
  readonly recorded?: number
  /** From the first command to the answer of the last. */
  readonly seconds: number
  /** What went wrong; undefined: all is as it should be. */
  readonly wrong?: string
}

/** What `yori audit list --json` tells of an exchange; milliseconds. */
interface Row {
  readonly timestamp: string
  readonly latency_ms: number | null
}

const home = join(clone, '..', 'home')
const origin = await AgentsOrigin.start(ORIGIN)
const roots = join(clone, '..', 'origin.pem')
writeFileSync(roots, origin.ca.certificatePem)
const env = {
  ...{ PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8', TMPDIR: home },
  // The provider's certificate is of an authority that this machine knows.
  NODE_EXTRA_CA_CERTS: roots,
}

/** What is typed in the clone. */
const type = (line: string) =>
  runProgram('sh', ['-c', line], { cwd: clone, env, timeoutMs: WALK_MS })

/** Until it says that it listens. */
async function started(): Promise<ChildProcess> {
  const child = spawn('npm', ['start'], {
    ...{ cwd: clone, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  })
  let said = ''
  const up = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (piece: Buffer) => {
        said += piece.toString()
        if (/audit list/.test(said)) resolve()
      })
    child.once('exit', () => reject(new Error(`npm start ended: ${said}`)))
  })
  await up
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const group = -(child.pid ?? 0)
  const ended = once(child, 'exit')
  process.kill(group, 'SIGTERM')
  await ended
  // npm ends before what it started.
  while (isThere(group)) await new Promise((resolve) => setTimeout(resolve, 20))
}

function isThere(group: number): boolean {
  try {
    return process.kill(group, 0)
  } catch {
    return false
  }
}

async function walkOne(walk: Walk): Promise<Walked> {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home)
  rmSync(join(clone, 'var'), { recursive: true, force: true })
  const before = performance.now()
  const begun = Date.now()
  const yori = await started()
  const elapsed = (): number => Math.round((performance.now() - before) / 100) / 10
  const done = (wrong?: string): Walked => ({
    ...{ walk, commands: 3, seconds: elapsed() },
    ...(wrong === undefined ? {} : { wrong }),
  })
  try {
    const ran = await type(walk.line)
    if (ran.status !== 0)
      return done(
        `exit ${ran.status}: ${ran.stderr.slice(-300)}${ran.stdout.toString().slice(-200)}`,
      )
    const list = await type('./yori audit list')
    const shown = done()
    const text = list.stdout.toString()
    const host = walk.model ?? 'api.openai.com'
    if (!text.includes(host))
      return done(`yori audit list does not name ${host}: ${text}`)
    if (walk.door === 'laptop' && !/came through YORI|recorded/.test(ran.stderr))
      return done(`yori exec said nothing at its end: ${ran.stderr.slice(-300)}`)
    const rows = JSON.parse(
      (await type('./yori audit list --json')).stdout.toString() || '[]',
    ) as readonly Row[]
    const ends = rows
      .filter((row) => JSON.stringify(row).includes(host))
      .map(({ timestamp, latency_ms }) => Date.parse(timestamp) + (latency_ms ?? 0))
    if (ends.length === 0) return done(`no row as JSON names ${host}`)
    const recorded = Math.round((Math.min(...ends) - begun) / 100) / 10
    const isLate = recorded > LIMITS.seconds
    return {
      ...{ ...shown, recorded },
      ...(isLate ? { wrong: `more than ${LIMITS.seconds} s` } : {}),
    }
  } finally {
    await end(yori)
  }
}

const all = walks(root, home)
const asked = all.filter(({ name, door }) => {
  return words.length === 0 || words.some((word) => `${door} ${name}`.includes(word))
})
const found: Walked[] = []
for (const walk of asked) {
  const walked = await walkOne(walk)
  found.push(walked)
  const { name, door } = walk
  console.log(JSON.stringify({ door, name, ...walked, walk: undefined }))
}
if (words.length === 0) writeFileSync(packageFile('docs/WALKS.md'), page(found))
await origin[Symbol.asyncDispose]()
process.exit(found.some(({ wrong }) => wrong !== undefined) ? 1 : 0)

function page(list: readonly Walked[]): string {
  const rows = list.map(({ walk, commands, recorded, seconds, wrong }) => {
    const times = [recorded?.toFixed(1) ?? '', seconds.toFixed(1)]
    const cells = [walk.door, walk.name, commands, ...times, wrong ?? 'yes']
    return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  })
  return [
    '# The first hour, walked',
    '',
    'Written by `npm run agents:walk`: an empty folder that a clone and `npm ci` have filled, an',
    'origin that answers in the providers’ shapes in the place of the real ones, programs as they',
    'come. Three commands each: `npm start`, the program (by `./yori exec --` at the door *laptop*,',
    'by its base URL at the other), `./yori audit list`. *Recorded*: seconds from the first command',
    `until the exchange had ended and stood in the record; more than ${LIMITS.seconds} is a failure. *All*: to`,
    'the answer of the last command, so with the whole of what the program does until it ends.',
    `Run with Node ${process.versions.node}.`,
    '',
    '| door | program | commands | recorded | all | its row is shown |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
