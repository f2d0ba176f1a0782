/**
 * The end-to-end validation that the project was begun with, to the letter: its configuration,
 * its command, its curl, its SQL; then the allowlist, a restart, and the forwarded request.
 * Beside it stand only a free port and a folder of the test's own for what YORI keeps.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { curl, runProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { needs } from '../support/needs.js'

const CONFIG = `mode: enforce
listen: 0.0.0.0:8443

enforcement:
  enabled: true
  consent_accepted: true

policies:
  files:
    default:
      enabled: true
      action: block
`

const yoriCommand = packageFile('dist', 'src', 'cli', 'main.js')

class Running implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(folder: TempFolder): Promise<Running> {
    const config = folder.file('test_config.yaml')
    const flags = ['--config', config, '--port', '0']
    const child = spawn(
      yoriCommand,
      [...flags, '--state-dir', folder.file('state'), '--log-level', 'silent'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    // The banner is printed once everything listens.
    let banner = ''
    for await (const piece of child.stdout.iterator({ destroyOnReturn: false })) {
      banner += String(piece)
      const port = /0\.0\.0\.0:(\d+)/.exec(banner)?.[1]
      if (port === undefined) continue
      child.stdout.resume()
      return new Running(child, Number(port))
    }
    throw new Error(`yori ended: ${banner}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}

async function askedWithCurl(port: number): Promise<{ status: string; body: string }> {
  const { stdout, stderr, status } = await curl([
    '-k',
    `https://localhost:${port}/v1/chat/completions`,
    ...['-H', 'Content-Type: application/json'],
    ...['-H', 'Authorization: Bearer test'],
    '-d',
    '{"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "test"}]}',
    ...['-w', '\n%{http_code} %{content_type}'],
  ])
  assert.equal(status, 0, stderr)
  const text = stdout.toString()
  const end = text.lastIndexOf('\n')
  return { status: text.slice(end + 1), body: text.slice(0, end) }
}

async function sql(folder: TempFolder, query: string): Promise<string> {
  const { stdout, stderr, status } = await runProgram('sqlite3', [
    folder.file('state/audit.db'),
    query,
  ])
  assert.equal(status, 0, stderr)
  return stdout.toString()
}

describe('end to end: block an OpenAI request', () => {
  before(function () {
    needs(this, 'curl', 'sqlite3')
  })

  it('blocks, shows the page, records it, and forwards for a device on the allowlist', async () => {
    await using folder = await tempFolder()
    await using simulator = await Simulator.start()

    // 1. Start proxy with enforcement
    writeFileSync(folder.file('test_config.yaml'), CONFIG)
    {
      await using running = await Running.start(folder)

      // 2. Make request (will be blocked)
      const blocked = await askedWithCurl(running.port)
      assert.equal(blocked.status, '403 text/html; charset=utf-8')
      assert.match(blocked.body, /Request Blocked by YORI/)
      assert.match(blocked.body, /<dt>Policy<\/dt><dd>default<\/dd>/)
      assert.match(
        blocked.body,
        /<dt>Reason<\/dt><dd>the default policy blocks every request<\/dd>/,
      )
    }

    // 3. Check audit log
    const rows = await sql(
      folder,
      "SELECT event_type, client_ip, policy_name, reason FROM audit_events WHERE event_type='block';",
    )
    assert.equal(
      rows,
      'block|127.0.0.1|default|the default policy blocks every request\n',
    )
    const newest = await sql(
      folder,
      'SELECT * FROM audit_events ORDER BY timestamp DESC LIMIT 5;',
    )
    assert.match(newest, /\|block\|.*gpt-3\.5-turbo/)

    // 4. Add client to allowlist in config, restart, retry
    writeFileSync(folder.file('roots.pem'), simulator.ca.certificatePem)
    const allowed = `${CONFIG.replace(
      '  consent_accepted: true\n',
      '  consent_accepted: true\n  allowlist:\n    devices:\n      - name: test client\n        ip: 127.0.0.1\n',
    )}
# The provider of this test.
upstream:
  resolve: { api.openai.com: '${simulator.address}' }
  extra_ca: [${folder.file('roots.pem')}]
`
    writeFileSync(folder.file('test_config.yaml'), allowed)
    await using running = await Running.start(folder)
    const forwarded = await askedWithCurl(running.port)
    assert.match(forwarded.status, /^200 application\/json/)
    assert.match(forwarded.body, /"object": ?"chat\.completion"/)
    assert.equal(simulator.requests.all.length, 1)
  })
})
