import assert from 'node:assert/strict'
import { permittedNames } from '../../ca/permitted-names.js'
import {
  isWithin,
  normalSubtrees,
  subtreeOf,
  Subtrees,
  tooWide,
} from '../../ca/permitted.js'

describe('permitted names', () => {
  it('hold no parent that is shared, no public suffix and no top-level domain', () => {
    const wide = permittedNames.filter((name) => tooWide(name) !== undefined)
    assert.deepEqual(wide, [])
  })

  it('cover the hosts of the providers that people use', () => {
    const hosts = [
      'api.openai.com',
      'eu.api.openai.com',
      'chatgpt.com',
      'api.anthropic.com',
      'claude.ai',
      'generativelanguage.googleapis.com',
      'gemini.google.com',
      'europe-west4-aiplatform.googleapis.com',
      'api.mistral.ai',
      'api.cohere.ai',
      'api.cohere.com',
      'api.groq.com',
      'api.x.ai',
      'api.deepseek.com',
      'www.perplexity.ai',
      'api.together.xyz',
      'api.fireworks.ai',
      'openrouter.ai',
      'api.cerebras.ai',
      'router.huggingface.co',
      'bedrock-runtime.us-east-1.amazonaws.com',
      'bedrock-mantle.eu-central-1.api.aws',
      'my-tenant.openai.azure.com',
      'my-tenant.services.ai.azure.com',
      'api.individual.githubcopilot.com',
      'api2.cursor.sh',
      'ollama.com',
      'yori.home.arpa',
      'localhost',
    ]
    assert.deepEqual(
      hosts.filter((host) => !isWithin(host, permittedNames)),
      [],
    )
  })

  it('do not cover their neighbours', () => {
    const others = [
      'mail.google.com',
      'storage.googleapis.com',
      's3.us-east-1.amazonaws.com',
      'evil-openai.com',
      'openai.com.evil.example',
      'login.microsoftonline.com',
      'huggingface.co',
      'bedrock.us-east-1.amazonaws.com',
      'api.github.com',
      'ai',
    ]
    assert.deepEqual(
      others.filter((host) => isWithin(host, permittedNames)),
      [],
    )
  })

  for (const name of [
    'com',
    'ai',
    'co.uk',
    'com.cn',
    'ne.jp',
    'google.com',
    'googleapis.com',
    'amazonaws.com',
    'azure.com',
    'github.io',
    'workers.dev',
    'cloudfront.net',
    'microsoft.com',
  ])
    it(`refuse ${name} as too wide`, () => {
      assert.notEqual(tooWide(name), undefined)
    })

  for (const name of [
    'x.ai',
    'api.example.com',
    'llm.test',
    'home.arpa',
    'lan',
    'openai.azure.com',
  ])
    it(`accept ${name}`, () => {
      assert.equal(tooWide(name), undefined)
    })

  it('need the same subtree for a name and for what is below it', () => {
    assert.equal(subtreeOf('*.openai.azure.com'), 'openai.azure.com')
    assert.equal(subtreeOf('API.OpenAI.com.'), 'api.openai.com')
    assert.equal(subtreeOf('192.0.2.1'), undefined)
    assert.equal(subtreeOf('a b'), undefined)
  })

  it('are listed once, without what another one contains', () => {
    assert.deepEqual(normalSubtrees(['b.a', 'a', 'c', 'c', 'ba']), ['a', 'ba', 'c'])
  })

  it('are found by labels as they are one by one', () => {
    const names = ['openai.com', 'x.ai', 'localhost', 'openai.azure.com']
    const subtrees = new Subtrees(names)
    for (const host of [
      ...names,
      ...names.flatMap((name) => [`a.${name}`, `a.b.${name}`, `a${name}`, `${name}.a`]),
      'com',
      '',
      'ai',
      'azure.com',
    ])
      assert.equal(subtrees.contains(host), isWithin(host, names), host)
  })
})
