/**
 * The lines of source 004's README, typed as they stand there with `yori` for its name: on a machine
 * of their own, where `api.openai.com` is a simulator and nobody else has port 4000.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageFile } from '../../../src/core/package-root.js'
import { Namespaces } from '../../support/namespaces.js'
import { NAMESPACES, needs } from '../../support/needs.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'

const run = promisify(execFile)
/** A public address, which is the simulator's for that machine. */
const OPENAI = '104.18.6.192'

const CONFIG = `# config.yaml
server:
  port: 4000
  host: "0.0.0.0"

llm:
  base_url: "https://api.openai.com"
  type: "openai"
  api_key: "sk-your-key-here"

interceptors:
  - type: "printer"
    enabled: true
    config:
      log_requests: true
      log_responses: true
`

const REQUESTS = `
# Make requests to the proxy
curl -X POST http://localhost:4000/v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -d '{"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello!"}]}'
echo
curl -X POST http://localhost:4000/v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -d '{"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello!"}], "stream": true}'
curl http://localhost:4000/metrics
`

/** Until it answers; then what is asked of it; then its end, as Ctrl-C makes it. */
const withRunning = (line: string, asks: string): string => `
${line} & running=$!
tries=0
until curl -s -f -o /dev/null http://localhost:4000/health; do
  kill -0 $running; tries=$((tries + 1)); [ $tries -lt 300 ]; sleep 0.1
done
${asks}
kill -INT $running
wait $running
`

describe('the README of a gateway to one provider', () => {
  let machines: Namespaces | undefined
  let folder: TempFolder
  let caFile: string

  before(async function () {
    needs(this, ...NAMESPACES, 'curl', 'mount namespaces')
    folder = await tempFolder()
    caFile = folder.file('ca.pem')
    machines = new Namespaces(['home', 'openai'])
    machines.link({
      from: { machine: 'home', name: 'out', addresses: ['104.18.6.1/24'] },
      to: { machine: 'openai', name: 'in', addresses: [`${OPENAI}/24`] },
    })
    const main = packageFile('dist', 'tools', 'sim', 'main.js')
    const sim = machines.spawn('openai', process.execPath, [
      ...[main, '--host', OPENAI, '--port', '443', '--ca-out', caFile],
    ])
    await sim.line()
    writeFileSync(folder.file('hosts'), `127.0.0.1 localhost\n${OPENAI} api.openai.com\n`)
    writeFileSync(folder.file('config.yaml'), CONFIG)
    mkdirSync(folder.file('bin'))
    const yori = join(folder.file('bin'), 'yori')
    const cli = packageFile('dist', 'src', 'cli', 'main.js')
    writeFileSync(yori, `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`)
    chmodSync(yori, 0o755)
  })

  after(async () => {
    await machines?.[Symbol.asyncDispose]()
    if (machines !== undefined) await folder[Symbol.asyncDispose]()
  })

  const typed = async (
    script: string,
    more: NodeJS.ProcessEnv = {},
  ): Promise<{ readonly code: number; readonly said: string }> => {
    writeFileSync(folder.file('typed.sh'), script)
    const inside = `mount --bind '${folder.file('hosts')}' /etc/hosts && exec sh -e typed.sh 2>&1`
    const words = machines?.words('home', 'unshare', '--mount', 'sh', '-c', inside) ?? []
    const env = {
      PATH: `${folder.file('bin')}:${process.env['PATH'] ?? ''}`,
      HOME: folder.path,
      NODE_EXTRA_CA_CERTS: caFile,
      YORI_STATE_DIR: folder.file('state'),
      ...more,
    }
    try {
      const { stdout } = await run('ip', words, { cwd: folder.path, env })
      return { code: 0, said: stdout }
    } catch (cause) {
      const { code, stdout } = cause as { code: number; stdout: string }
      return { code, said: stdout }
    }
  }

  const isServed = ({ code, said }: Awaited<ReturnType<typeof typed>>): void => {
    assert.equal(code, 0, said)
    assert.match(said, /"object":"chat\.completion"/)
    assert.match(said, /"object":"chat\.completion\.chunk"[\s\S]*data: \[DONE\]/)
    assert.match(said, /^# HELP yori_/m)
    assert.ok(!said.includes('sk-your-key'))
  }

  it('serves by flags', async () => {
    const line =
      'yori run --base-url https://api.openai.com --type openai --api-key sk-your-key'
    isServed(await typed(withRunning(line, REQUESTS)))
  })

  it('serves by the environment', async () => {
    isServed(
      await typed(
        `
# Set environment variables
export LLM_BASE_URL=https://api.openai.com
export LLM_TYPE=openai
export LLM_API_KEY=sk-your-key-here
${withRunning('yori run', REQUESTS)}`,
      ),
    )
  })

  it('serves by its file, once that is not open to everybody', async () => {
    const line = 'yori run --config config.yaml'
    const open = await typed(`yori validate-config config.yaml\n${line}`)
    assert.notEqual(open.code, 0)
    assert.match(open.said, /would be sent for whoever reaches 0\.0\.0\.0:4000/)
    const script = withRunning(
      `sed -i s/0.0.0.0/127.0.0.1/ config.yaml\n${line}`,
      REQUESTS,
    )
    isServed(await typed(`yori validate-config config.yaml || :\n${script}`))
  })

  it('helps, and writes a file that it validates', async () => {
    const { code, said } = await typed(
      'yori generate-config example.yaml\nyori validate-config example.yaml\n' +
        'yori --help\nyori run --help\n',
    )
    assert.equal(code, 0, said)
    for (const flag of ['--base-url', '--type', '--api-key', '--port', '--host'])
      assert.ok(said.includes(flag), flag)
  })
})
