/** `yori sidecar` as a program of its own: what it answers with policies and without, and in which mode. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'undici'
import { Cli } from '../../../support/cli.js'
import { startLlmOrigin } from '../../../support/llm-origin.js'
import type { LlmOrigin } from '../../../support/llm-origin.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'

const POLICY = `package yori.guard

deny contains "no rm" if contains(input.event.tool_input.messages[0].content, "rm -rf")
`

describe('yori sidecar', () => {
  let origin: LlmOrigin
  let folder: TempFolder

  before(async () => {
    origin = await startLlmOrigin()
    folder = await tempFolder()
    const base = `http://127.0.0.1:${origin.port}`
    const config = `gateway: {providers: {openai: {base_url: "${base}"}}}\n`
    writeFileSync(folder.file('plain.yaml'), config)
    writeFileSync(folder.file('observe.yaml'), `${config}mode: observe\n`)
    mkdirSync(folder.file('policies'))
    writeFileSync(folder.file('policies/guard.rego'), POLICY)
  })

  after(async () => {
    await origin[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const started = async (...args: string[]) => {
    const sidecar = new Cli(['sidecar', '--port', '0', '--state-dir', 'state', ...args], {
      cwd: folder.path,
      env: { YORI_CONTROL_LISTEN: '127.0.0.1:0' },
    })
    const [, port] = await sidecar.printed(/"listen":\["127\.0\.0\.1:(\d+)"\]/)
    const ask = async (content: string) => {
      const url = `http://127.0.0.1:${port}/llm/openai/v1/chat/completions`
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer k' },
        body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
      })
      return { status: answer.statusCode, text: await answer.body.text() }
    }
    return { sidecar, ask }
  }

  it('serves nobody while nothing governs', async () => {
    const { sidecar, ask } = await started('--config', 'plain.yaml')
    await using _sidecar = sidecar
    assert.equal((await ask('hi')).status, 503)
  })

  it('denies what its policies deny, where the configuration says no mode', async () => {
    const args = ['--config', 'plain.yaml', '--policies', 'policies']
    const { sidecar, ask } = await started(...args)
    await using _sidecar = sidecar
    assert.equal((await ask('hi')).status, 200)
    const { status, text } = await ask('rm -rf /')
    assert.equal(status, 403)
    assert.equal(
      (JSON.parse(text) as { error: { policy_id: string } }).error.policy_id,
      'guard',
    )
  })

  it('leaves the mode of the configuration as it is', async () => {
    const args = ['--config', 'observe.yaml', '--policies', 'policies']
    const { sidecar, ask } = await started(...args)
    await using _sidecar = sidecar
    assert.equal((await ask('rm -rf /')).status, 200)
  })
})
