// Usage: node dist/tools/replay/ten-times.js [TIMES]
// An app's calls by the unmodified openai and Anthropic packages (chat, stream, tools) are
// recorded once beside a YORI in front of the simulator, and then answered by the recordings,
// ten times unless said, with everything ended and other keys: each must hear the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { packageFile } from '../../src/core/package-root.js'
import { Simulator } from '../sim/simulator.js'

const MAIN = packageFile('dist', 'src', 'cli', 'main.js')
const APP = packageFile('test', 'fixtures', 'replay', 'app.mjs')
const times = Number(process.argv[2] ?? 10)
const folder = mkdtempSync(join(tmpdir(), 'yori-ten-times-'))
const recordings = join(folder, 'recordings')
const config = join(folder, 'yori.conf')

interface Ran {
  readonly status: number | null
  readonly heard: string
  readonly said: string
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { PATH } = process.env
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { PATH, HOME: folder, YORI_CONTROL_LISTEN: '127.0.0.1:0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function ended(child: ChildProcess): Promise<Ran> {
  let [heard, said] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve) => {
    child.once('close', (status) => resolve({ status, heard, said }))
  })
}

function printed(child: ChildProcess, text: RegExp): Promise<void> {
  let all = ''
  return new Promise((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      all += chunk.toString()
      if (text.test(all)) resolve()
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.once('close', () => reject(new Error(`ended: ${all}`)))
  })
}

try {
  const simulator = await Simulator.start({ knobs: { chunkGapMs: 5 } })
  writeFileSync(join(folder, 'ca.pem'), simulator.ca.certificatePem)
  const { address } = simulator
  const resolved = { 'api.openai.com': address, 'api.anthropic.com': address }
  writeFileSync(
    config,
    JSON.stringify({
      listen: '127.0.0.1:0',
      state_dir: join(folder, 'state'),
      upstream: { resolve: resolved, extra_ca: [join(folder, 'ca.pem')] },
    }),
  )
  const yori = start(['run', '--config', config])
  await printed(yori, /YORI is running/)
  const recording = start(['record', '--to', recordings, '--config', config])
  const recorded = ended(recording)
  await printed(recording, /recording to/)
  const keys = { OPENAI_API_KEY: 'sk-live-key-0001', ANTHROPIC_API_KEY: 'live-key-0002' }
  const run = ['--', process.execPath, APP]
  const live = await ended(start(['exec', '--config', config, ...run], keys))
  recording.kill('SIGINT')
  process.stdout.write((await recorded).heard)
  const over = ended(yori)
  yori.kill('SIGTERM')
  await over
  await simulator[Symbol.asyncDispose]()
  if (live.status !== 0) throw new Error(live.said)
  let same = 0
  for (let i = 0; i < times; i++) {
    const others = { OPENAI_API_KEY: `other-${i}`, ANTHROPIC_API_KEY: `another-${i}` }
    const again = await ended(start(['exec', '--replay', recordings, ...run], others))
    if (again.status === 0 && again.heard === live.heard) same++
    else process.stdout.write(`run ${i + 1} differs (${again.status}): ${again.said}\n`)
  }
  const { tool, stream } = JSON.parse(live.heard) as Record<string, unknown>
  process.stdout.write(`heard: ${JSON.stringify({ tool, stream })}\n`)
  process.stdout.write(`${same} of ${times} runs without a provider heard the same\n`)
  process.exitCode = same === times ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
