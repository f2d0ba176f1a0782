import assert from 'node:assert/strict'
import { runProgram } from '../support/programs.js'
import { packageFile } from '../../src/core/package-root.js'
import { Yori } from '../support/yori.js'

describe('a reload', () => {
  it('refuses an endpoint that only a new root could serve, and the old one serves on', async () => {
    await using yori = await Yori.start({
      config: { endpoints: [{ domain: 'api.openai.com' }] },
    })
    const before = yori.appliance.current
    const endpoints = [{ domain: 'api.openai.com' }, { domain: 'llm.example.org' }]
    await assert.rejects(yori.reload({ endpoints }), {
      code: 'YORI_CA_NAME_NOT_PERMITTED',
      message: /llm\.example\.org.*yori ca rotate --root/,
    })
    assert.equal(yori.appliance.current, before)
  })

  it('takes one that the root permits, and makes a new issuing CA for it', async () => {
    await using yori = await Yori.start({
      config: { endpoints: [{ domain: 'api.openai.com' }] },
    })
    const issuing = yori.appliance.current.authority.issuingPem
    await yori.reload({ endpoints: [{ domain: 'api.anthropic.com' }] })
    const { authority } = yori.appliance.current
    assert.ok(authority.permits('api.anthropic.com'))
    assert.notEqual(authority.issuingPem, issuing)
  })
})

describe('yori config check', () => {
  it('names an endpoint that the CA on disk may not sign for, with its line', async () => {
    await using yori = await Yori.start({
      config: { endpoints: [{ domain: 'api.openai.com' }] },
    })
    const file = yori.folder.file('next.conf')
    const { writeFileSync } = await import('node:fs')
    const lines = [`state_dir: ${yori.folder.file('state')}`, 'endpoints:']
    writeFileSync(file, [...lines, '  - domain: llm.example.org', ''].join('\n'))
    const main = packageFile('dist', 'src', 'cli', 'main.js')
    const ran = await runProgram(process.execPath, [
      main,
      'config',
      'check',
      '--config',
      file,
    ])
    assert.equal(ran.status, 1)
    const said = ran.stdout.toString() + ran.stderr
    assert.match(said, /next\.conf:3.*endpoints\[0\].*llm\.example\.org.*rotate --root/)
  })
})
