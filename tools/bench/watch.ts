// Usage: node dist/tools/bench/watch.js [--windows N] [--seconds N]
// What `yori watch` costs the daemon that it looks at: CPU a request and RSS of YORI's process at 50
// requests a second, in windows with it and without it in turn (4 of each, of 5 seconds). A ratio of
// one run: the least of each, since disturbance only adds. Exit 1 when a line is missing.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ProxyAgent, request } from 'undici'
import { packageFile } from '../../src/core/package-root.js'
import { startOrigin } from '../../test/support/origins.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { TestCa } from '../../test/support/test-ca.js'
import { YoriProcess } from '../dev/yori-process.js'
import { SHIPPED } from './held-yori.js'
import { usageOf } from './process-tree.js'
import { machine } from './table.js'

const NAME = 'api.openai.com'
const EVERY_MS = 20
const ANSWER =
  '{"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}'
const BODY = '{"model":"gpt-4o","messages":[{"role":"user","content":"what is steam?"}]}'

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '5' },
  },
})

const ca = new TestCa()
await using folder = await tempFolder('yori-watch-')
await using origin = await startOrigin({
  certificate: ca.issue({ names: [NAME] }),
  handler: (incoming, response) => {
    incoming.resume().on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(ANSWER)
    })
  },
})
const yori = await YoriProcess.start({
  folder: folder.path,
  launcher: SHIPPED,
  extraCaPem: ca.certificatePem,
  resolve: { [NAME]: origin.address },
})
const agent = new ProxyAgent({
  uri: `http://127.0.0.1:${yori.port}`,
  requestTls: { ca: await yori.caPem() },
})

async function ask(): Promise<void> {
  const answer = await request(`https://${NAME}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body: BODY,
  })
  await answer.body.dump()
}

/** At a steady pace, whatever the answers take. */
async function asks(seconds: number): Promise<number> {
  const open: Promise<void>[] = []
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      open.push(ask())
      if (open.length < (seconds * 1000) / EVERY_MS) return
      clearInterval(timer)
      resolve()
    }, EVERY_MS)
  })
  await Promise.all(open)
  return open.length
}

interface Watching extends AsyncDisposable {
  readonly lines: number
}

async function watching(): Promise<Watching> {
  let lines = 0
  const command = packageFile('dist/src/cli/main.js')
  const child = spawn(process.execPath, [command, 'watch', '--config', yori.configFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).on('line', () => lines++)
  for (let tries = 0; lines === 0 && tries < 100; tries++) {
    await ask()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  if (lines === 0) throw new Error('yori watch shows nothing')
  return {
    get lines() {
      return lines
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT')
      await once(child, 'close')
    },
  }
}

interface Cost {
  readonly cpuMs: number
  readonly rssMiB: number
}

async function measured(): Promise<Cost & { readonly asked: number }> {
  const before = usageOf(yori.pid)?.cpuMs ?? NaN
  const asked = await asks(Number(values.seconds))
  const { cpuMs, rssMiB } = usageOf(yori.pid) ?? { cpuMs: NaN, rssMiB: NaN }
  return { cpuMs: (cpuMs - before) / asked, rssMiB, asked }
}

const alone: Cost[] = []
const watched: Cost[] = []
console.log(machine())
try {
  await asks(Number(values.seconds))
  for (let window = 0; window < Number(values.windows); window++) {
    alone.push(await measured())
    await using watch = await watching()
    const before = watch.lines
    const cost = await measured()
    watched.push(cost)
    for (let tries = 0; watch.lines - before < cost.asked && tries < 50; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    if (watch.lines - before < cost.asked) {
      console.log(`of ${cost.asked} requests ${watch.lines - before} lines`)
      process.exitCode = 1
    }
  }
  const least = (costs: readonly Cost[], what: keyof Cost): number =>
    Math.min(...costs.map((cost) => cost[what]))
  for (const what of ['cpuMs', 'rssMiB'] as const) {
    const [without, beside] = [least(alone, what), least(watched, what)]
    const unit = what === 'cpuMs' ? 'ms of CPU a request' : 'MiB RSS'
    console.log(
      `${unit}: ${without.toFixed(2)} without, ${beside.toFixed(2)} with: ratio ${(beside / without).toFixed(2)}`,
    )
  }
} finally {
  await agent.destroy()
  await yori.stop()
}
