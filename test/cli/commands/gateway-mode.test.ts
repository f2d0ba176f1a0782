/**
 * A gateway to one provider: what its own README types, with `yori` for its name, and the
 * provider on this machine.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { loadConfig } from '../../../config/load.js'
import type { LoadedConfig } from '../../../config/load.js'
import { gatewayOverrides } from '../../../src/cli/commands/run/gateway-flags.js'
import { packageFile } from '../../../src/core/package-root.js'
import { Cli, runCli } from '../../support/cli.js'
import { startLlmOrigin } from '../../support/llm-origin.js'
import { tempFolder } from '../../support/temp-folder.js'

const curl = promisify(execFile)

/** As in that README, but for its host: with a key an open one is refused. */
const README_YAML = `# config.yaml
server:
  port: 4000
  host: "127.0.0.1"

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

session:
  enabled: true
  max_sessions: 5000
  session_ttl_seconds: 1800
`

async function loaded(text: string): Promise<LoadedConfig> {
  await using folder = await tempFolder()
  const path = folder.file('config.yaml')
  writeFileSync(path, text)
  return loadConfig({ path, env: {}, cwd: folder.path })
}

describe('a gateway to one provider', () => {
  it('reads the file of the README', async () => {
    const found = await loaded(README_YAML)
    assert.ok(found.kind === 'ok', JSON.stringify(found))
    const { listen, gateway, interceptors, limits, timeouts } = found.config
    assert.deepEqual(listen, ['127.0.0.1:4000'])
    assert.equal(gateway.default, 'openai')
    const { base_url: url, key } = gateway.providers['openai'] ?? {}
    assert.equal(url, 'https://api.openai.com')
    assert.equal(key?.reveal(), 'sk-your-key-here')
    assert.equal(interceptors[0]?.type, 'printer')
    assert.equal(interceptors[0]?.config.log_responses, true)
    assert.equal(limits.sessions, 5000)
    assert.equal(timeouts.session_idle, 1800)
  })

  it('says what is not done here, and what is wrong', async () => {
    const interceptors = (type: string): string =>
      `llm: {base_url: 'http://a.test', type: openai}\ninterceptors: [{type: ${type}}]`
    const warned = await loaded(interceptors('live_trace'))
    assert.ok(warned.kind === 'ok')
    assert.equal(warned.config.control.listen, '127.0.0.1:7100')
    for (const [text, says] of [
      [interceptors('nonsense'), /printer, message_logger/],
      ['llm: {base_url: "http://a.test"}', /does not say whom to ask/],
      ['llm: 3', /is no section/],
      [
        README_YAML.replace('127.0.0.1', '0.0.0.0'),
        /would be sent for whoever reaches 0\.0\.0\.0:4000/,
      ],
      [
        'listen: 0.0.0.0:4000\n' +
          'gateway: {default: b, providers: {b: {aws: {region: eu-central-1, ' +
          'access_key_id: a, secret_access_key: s}}}}',
        /providers\.b\.aws.*would be sent for whoever reaches 0\.0\.0\.0:4000/,
      ],
      [
        'gateway: {providers: {b: {key: k, aws: {region: eu-central-1, ' +
          'access_key_id: a, secret_access_key: s}}}}',
        /is given beside key/,
      ],
    ] as const) {
      const found = await loaded(text)
      assert.ok(found.kind === 'invalid', text)
      assert.match(JSON.stringify(found.problems), says)
    }
  })

  it('is open with a key where others bring one of ours', async () => {
    const open = README_YAML.replace('127.0.0.1', '0.0.0.0')
    for (const whose of ['beyond_loopback', 'always'])
      assert.equal(
        (await loaded(`${open}\ngateway: {require_key: ${whose}}\n`)).kind,
        'ok',
      )
  })

  it('is what the container file says, by its environment', async () => {
    const text = readFileSync(packageFile('config', 'container', 'gateway.yaml'), 'utf8')
    const { configs } = parse(text) as { configs: { yori: { content: string } } }
    const overrides = gatewayOverrides(
      { config: '/etc/yori/yori.conf' },
      { LLM_BASE_URL: 'https://api.openai.com', LLM_TYPE: 'openai', LLM_API_KEY: 'sk-a' },
    )
    await using folder = await tempFolder()
    const path = folder.file('yori.conf')
    writeFileSync(path, configs.yori.content)
    const found = loadConfig({ path, env: {}, cwd: folder.path, flags: overrides })
    assert.ok(found.kind === 'ok', JSON.stringify(found))
    const { gateway, listen } = found.config
    assert.deepEqual(listen, ['0.0.0.0:4000'])
    assert.equal(gateway.require_key, 'beyond_loopback')
    assert.equal(gateway.providers['openai']?.key?.reveal(), 'sk-a')
  })

  it('writes a file to start from, and validates files', async () => {
    await using folder = await tempFolder()
    const { path: cwd } = folder
    const made = await runCli(['generate-config', 'example.yaml'], { cwd })
    assert.equal(made.status, 0, made.stderr)
    assert.match(
      readFileSync(folder.file('example.yaml'), 'utf8'),
      /^server:\n {2}port: 4000/m,
    )
    const good = await runCli(['validate-config', 'example.yaml'], { cwd })
    assert.equal(good.status, 0, good.stderr)
    writeFileSync(folder.file('config.yaml'), README_YAML.replace('openai"', 'openai!"'))
    const bad = await runCli(['validate-config', 'config.yaml'], { cwd })
    assert.equal(bad.status, 1)
  })

  it("runs by flags: curl's request, the key where there is none, health and metrics", async () => {
    await using origin = await startLlmOrigin()
    await using folder = await tempFolder()
    const flags = ['--base-url', `http://127.0.0.1:${origin.port}`, '--type', 'openai']
    const more = ['--api-key', 'sk-your-key', '--port', '0', '--log-level', 'INFO']
    const state = ['--state-dir', folder.file('state')]
    await using cli = new Cli(['run', ...flags, ...more, ...state], { cwd: folder.path })
    const [, port = ''] = await cli.printed(/listening +127\.0\.0\.1:(\d+)/)
    await cli.printed(/YORI is running/)
    const base = `http://localhost:${port}`
    const { stdout } = await curl('curl', [
      ...['-s', '-X', 'POST', `${base}/v1/chat/completions`],
      ...['-H', 'Content-Type: application/json'],
      '-d',
      '{"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello!"}]}',
    ])
    assert.equal((JSON.parse(stdout) as { object: string }).object, 'chat.completion')
    await curl('curl', [
      '-s',
      `${base}/anything/else?a=b`,
      '-H',
      'Authorization: Bearer mine',
    ])
    const seen = origin.arrived.map(({ target, headers }) => [
      target,
      headers.authorization,
    ])
    assert.deepEqual(seen, [
      ['/v1/chat/completions', 'Bearer sk-your-key'],
      ['/anything/else?a=b', 'Bearer mine'],
    ])
    const get = async (path: string): Promise<string> =>
      (await curl('curl', ['-s', '-f', base + path])).stdout
    assert.match(await get('/health'), /"status"/)
    assert.match(await get('/metrics'), /^# HELP /m)
    const config = await get('/config')
    assert.match(config, /"default":\s*"openai"/)
    for (const told of [config, cli.stdout, cli.stderr])
      assert.ok(!told.includes('sk-your-key'))
    assert.equal(origin.arrived.length, 2)
  })

  it('runs by the environment', async () => {
    await using origin = await startLlmOrigin()
    await using folder = await tempFolder()
    const env = {
      LLM_BASE_URL: `http://127.0.0.1:${origin.port}/v1`,
      LLM_TYPE: 'openai',
      LLM_API_KEY: 'sk-your-key-here',
      LOG_LEVEL: 'WARNING',
    }
    const args = ['run', '--port', '0', '--state-dir', folder.file('state')]
    await using cli = new Cli(args, { cwd: folder.path, env })
    const [, port = ''] = await cli.printed(/listening +127\.0\.0\.1:(\d+)/)
    await curl('curl', ['-s', `http://localhost:${port}/v1/models`])
    assert.deepEqual(
      origin.arrived.map(({ target }) => target),
      ['/v1/models'],
    )
  })
})
