/** Processors as others write them: the one of the handbook, those of tools/, the package's side. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { serveProcessor } from 'yori/processor'
import { loadConfig } from '../../config/load.js'
import type { Config } from '../../config/schema.js'
import { processorOf } from '../../src/assembly/from-config/processors.js'
import { processorCommand } from '../../src/cli/commands/policy/processor-command.js'
import { systemClock } from '../../src/core/clock.js'
import { silentLog } from '../../src/core/log.js'
import { packageFile } from '../../src/core/package-root.js'
import type { Processor } from '../../src/processors/processor.js'
import type { Asked } from '../../src/processors/words.js'
import { needs } from '../support/needs.js'
import { until } from '../support/proxied.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

/** A socket is there before anybody listens at it. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** What comes back until the other side ends it, or has said something. */
function untilEnd(path: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(bytes))
    let said: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      said = chunk
      socket.destroy()
    })
    socket.on('close', () => resolve(said))
    socket.on('error', reject)
  })
}

describe('a processor that others wrote', () => {
  let folder: TempFolder
  const children: ChildProcess[] = []

  before(async () => {
    folder = await tempFolder()
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await folder[Symbol.asyncDispose]()
  })

  function configOf(name: string, keys: object = {}): Config {
    const address = folder.file(`${name}.sock`)
    const file = folder.file(`${name}.json`)
    const events = ['request_headers', 'request_body']
    const processors = [{ name, address, events, timeout_ms: 10_000, ...keys }]
    writeFileSync(file, JSON.stringify({ processors }))
    const loaded = loadConfig({ path: file, env: {}, cwd: folder.path })
    assert.equal(loaded.kind, 'ok')
    return (loaded as { config: Config }).config
  }

  function asProcessor(name: string, keys: object = {}): Processor & Disposable {
    const config = configOf(name, keys)
    const [entry] = config.processors
    assert.ok(entry)
    const processor = processorOf(entry, config, { clock: systemClock, log: silentLog })
    return Object.assign(processor, { [Symbol.dispose]: () => processor.close() })
  }

  async function started(name: string, ...argv: string[]): Promise<void> {
    const [program = '', ...args] = argv
    children.push(spawn(program, args, { stdio: 'ignore' }))
    await until(() => isListening(folder.file(`${name}.sock`)))
  }

  function saying(content: string): Asked {
    const bytes = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content }] }))
    return {
      requestId: 'r-1',
      head: {
        ...{ method: 'POST', path: '/v1', host: 'api.openai.com', protocol: 'HTTP/2' },
        ...{ fields: ['x-a', '1'], clientAddress: '127.0.0.1', clientPort: 1 },
        ...{
          traceparent: undefined,
          provider: undefined,
          model: undefined,
          startedAt: 0,
        },
      },
      asksHead: true,
      body: { bytes, total: bytes.length, isCut: false },
    }
  }

  it('is the one of docs/PROCESSORS.md', async function () {
    needs(this, 'python3')
    const text = readFileSync(packageFile('docs/PROCESSORS.md'), 'utf8')
    const [, python = ''] = /```python\n([^]*?)```/.exec(text) ?? []
    assert.equal(python.split('\n').length <= 40, true)
    const file = folder.file('lynx.py')
    writeFileSync(file, python)
    await started('lynx', 'python3', file, folder.file('lynx.sock'))
    using processor = asProcessor('lynx')
    const good = await processor.ask(saying('hello'))
    assert.equal(good.kind === 'verdict' && good.verdict.ruling.kind, 'allow')
    const bad = await processor.ask(saying('about Project Lynx'))
    assert.ok(bad.kind === 'verdict')
    assert.deepEqual(bad.verdict.ruling, {
      ...{ kind: 'block', status: 403, text: 'not outside', fields: [] },
    })
    assert.deepEqual(bad.verdict.audit.ruleIds, ['lynx-1'])

    const printed: string[] = []
    const deps = {
      config: () => configOf('lynx'),
      clock: systemClock,
      print: (line: string) => printed.push(line),
      exit: () => assert.fail(),
    }
    const run = (...args: string[]) =>
      processorCommand(deps).parseAsync(args, { from: 'user' })
    await run('test', 'lynx', '--text', 'project lynx')
    assert.match(
      printed.join(''),
      /lynx is lynx 1, reached in .*\n.*: block 403 not outside/,
    )
    assert.match(printed.join(''), /for the record: rules lynx-1; tags secret/)
    printed.length = 0
    await run('list', '--json')
    assert.match(printed.join(''), /"name":"lynx"/)
  })

  it('is one of tools/processors', async () => {
    const words = folder.file('words.txt')
    writeFileSync(words, 'lynx\nheron\n')
    const file = packageFile('dist/tools/processors/denylist.js')
    await started('deny', process.execPath, file, folder.file('deny.sock'), words)
    using processor = asProcessor('deny')
    const good = await processor.ask(saying('hello'))
    assert.ok(good.kind === 'verdict')
    const set = { kind: 'set', name: 'x-looked-at-by', value: 'denylist' }
    assert.deepEqual(good.verdict.requestFields, [set])
    const bad = await processor.ask(saying('a Heron'))
    assert.ok(bad.kind === 'verdict')
    assert.equal(bad.verdict.ruling.kind, 'block')
    assert.deepEqual(bad.verdict.audit.ruleIds, ['word-2'])
  })

  it('lies, and is found out at once', async () => {
    const file = packageFile('dist/tools/processors/liar.js')
    const lies = {
      garbage: 'too-large',
      huge: 'too-large',
      flood: 'malformed',
      other: 'malformed',
      none: 'malformed',
      end: 'gone',
    }
    await Promise.all(
      Object.entries(lies).map(async ([how, kind]) => {
        await started(how, process.execPath, file, folder.file(`${how}.sock`), how)
        using processor = asProcessor(how, { timeout_ms: 60_000 })
        const heard = await processor.ask(saying('hello'))
        assert.equal(heard.kind === 'failed' && heard.failure.kind, kind, how)
      }),
    )
  })

  it('is written with the package alone', async () => {
    const path = folder.file('own.sock')
    const seen: string[] = []
    await using own = await serveProcessor(path, {
      name: 'own',
      version: '7',
      requestBody({ bytes, index, isLast }) {
        seen.push(`${bytes.length} ${index} ${isLast}`)
        return { body: 'other', reasons: ['rewritten'] }
      },
    })
    assert.equal(own.path, path)
    using processor = asProcessor('own')
    const { events } = await processor.introduce()
    assert.deepEqual(events, ['request_body'])
    const heard = await processor.ask(saying('hello'))
    assert.ok(heard.kind === 'verdict')
    assert.equal(heard.verdict.body?.toString(), 'other')
    assert.deepEqual(heard.verdict.audit.reasons, ['rewritten'])
    assert.equal(seen.length, 1)
  })

  it('shows its handlers nothing but what the protocol has, and ends what says else', async () => {
    const seen: string[] = []
    const path = folder.file('strict.sock')
    await using _own = await serveProcessor(path, {
      name: 'strict',
      requestHead: ({ method }) => void seen.push(method),
      requestBody: ({ bytes }) => void seen.push(bytes.toString()),
    })
    // u32 length of what follows, a byte of type: 0x10 a head, 0x11 a chunk of a body.
    const told = (type: number, payload: string): Promise<Buffer> => {
      const head = Buffer.alloc(5)
      head.writeUInt32BE(payload.length + 1)
      head[4] = type
      return untilEnd(path, Buffer.concat([head, Buffer.from(payload)]))
    }
    for (const [type, payload] of [
      [0x11, '{"correlation_id":"r","data":{"length":1000}}'],
      [0x11, '{"correlation_id":"r","data":["7"]}'],
      [0x11, '{"correlation_id":"r","data":"","chunk_index":"0"}'],
      [0x10, '{"method":["POST"],"uri":"/"}'],
      [0x10, '{"method":"POST","headers":{"accept":"a"}}'],
      [0x10, '{"method":"POST","metadata":[]}'],
      [0x10, 'null'],
      [0x10, '{'],
    ] as const) {
      const answer = await told(type, payload)
      assert.equal(answer.length, 0, payload)
    }
    assert.deepEqual(seen, [])
    const answer = await told(0x11, '{"correlation_id":"r","data":"aGVsbG8="}')
    assert.equal(answer[4], 0x20)
    assert.deepEqual(seen, ['hello'])
  })

  it('needs nothing that does not come with it', () => {
    const empty = folder.file('empty')
    const installed = join(empty, 'node_modules', 'yori')
    mkdirSync(installed, { recursive: true })
    cpSync(packageFile('package.json'), join(installed, 'package.json'))
    const files = join('dist', 'src', 'processors')
    cpSync(packageFile(files), join(installed, files), { recursive: true })
    const script = join(empty, 'try.mjs')
    const text = `import { serveProcessor } from 'yori/processor'
const served = await serveProcessor(process.argv[2], { name: 'x', requestHead: () => ({}) })
await served.close()
console.log('served')`
    writeFileSync(script, text)
    const args = [script, folder.file('empty.sock')]
    const ran = spawnSync(process.execPath, args, { cwd: empty, encoding: 'utf8' })
    assert.equal(ran.stderr, '')
    assert.equal(ran.stdout, 'served\n')
  })
})
