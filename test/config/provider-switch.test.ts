import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { loadConfig } from '../../config/load.js'
import { tempFolder } from '../support/temp-folder.js'

async function routes(text: string): Promise<Map<string, string>> {
  await using folder = await tempFolder()
  const file = folder.file('yori.conf')
  writeFileSync(file, text)
  const loaded = loadConfig({ path: file, env: {}, cwd: folder.path })
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems))
  return new Map(
    loaded.config.endpoints.map(({ domain, enabled, route }) => [
      domain,
      enabled ? route : 'off',
    ]),
  )
}

describe('one switch a provider', () => {
  it('adds its hosts to the default list, or turns those of it', async () => {
    const before = await routes('mode: observe\n')
    assert.equal(before.get('chatgpt.com'), 'by-policy')
    assert.equal(before.get('gemini.google.com'), 'intercept')
    assert.equal(before.get('api.openai.com'), 'intercept')
    const found = await routes(
      'providers: {openai-web: by-policy, anthropic: tunnel, gemini-web: refuse, replika: intercept}\n',
    )
    for (const [host, route] of [
      ['chatgpt.com', 'by-policy'],
      ['chat.openai.com', 'by-policy'],
      ['api.anthropic.com', 'off'],
      ['gemini.google.com', 'refuse'],
      ['*.replika.com', 'intercept'],
      ['api.openai.com', 'intercept'],
    ] as const)
      assert.equal(found.get(host), route, host)
  })

  it('is decided over by what a list says of a host', async () => {
    const listed = await routes(
      'providers: {anthropic: tunnel, openai-web: refuse}\n' +
        'endpoints: [{domain: api.anthropic.com}]\n',
    )
    assert.deepEqual([...listed].sort(), [
      ['api.anthropic.com', 'intercept'],
      ['chat.openai.com', 'refuse'],
      ['chatgpt.com', 'refuse'],
    ])
    const added = await routes(
      'providers: {openai-web: refuse}\nendpoints_add: [{domain: chatgpt.com}, {domain: llm.example.com}]\n',
    )
    assert.equal(added.get('chatgpt.com'), 'intercept')
    assert.equal(added.get('chat.openai.com'), 'refuse')
    assert.equal(added.get('llm.example.com'), 'intercept')
    assert.equal(added.get('api.openai.com'), 'intercept')
  })

  it('names a provider that is none', async () => {
    await assert.rejects(
      routes('providers: {opnai: tunnel}\n'),
      /no provider of the catalogue/,
    )
  })
})
