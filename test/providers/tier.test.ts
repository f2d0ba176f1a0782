/** By which service tier a provider says that it served a call, in the words of its API. */
import assert from 'node:assert/strict'
import { recognise } from '../../src/providers/index.js'
import { isStandard, tierNamed } from '../../src/providers/tier.js'

const openai = 'POST api.openai.com/v1/responses'
const chat = 'POST api.openai.com/v1/chat/completions'
const messages = 'POST api.anthropic.com/v1/messages'
const gemini =
  'POST generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent'
const vertex =
  'POST aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent'
const converse =
  'POST bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/converse'
const invoke =
  'POST bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/invoke'

const sse = (...events: readonly object[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

interface Answer {
  readonly body: object | string
  readonly fields?: Readonly<Record<string, string>>
}

function served(line: string, { body, fields = {} }: Answer): string | undefined {
  const [method = '', address = ''] = line.split(' ')
  const slash = address.indexOf('/')
  const [host, path] = [address.slice(0, slash), address.slice(slash)]
  const known = recognise({ host, method, path })
  assert.ok(known, line)
  const isText = typeof body === 'string'
  const reader = known.provider.reader({
    api: known.api,
    path,
    status: 200,
    contentType: isText ? 'text/event-stream' : 'application/json',
    header: (name) => fields[name],
  })
  reader.push(Buffer.from(isText ? body : JSON.stringify(body)))
  return reader.end().tier
}

/** platform.openai.com, platform.claude.com, ai.google.dev, cloud.google.com, docs.aws.amazon.com. */
const TOLD: readonly (readonly [string, Answer, string | undefined])[] = [
  [chat, { body: { id: 'a', service_tier: 'default' } }, 'default'],
  [chat, { body: { id: 'a', service_tier: 'flex' } }, 'flex'],
  [chat, { body: { id: 'a', service_tier: 'priority' } }, 'priority'],
  [chat, { body: { id: 'a', service_tier: null } }, undefined],
  [chat, { body: { id: 'a' } }, undefined],
  [
    chat,
    { body: sse({ id: 'a', service_tier: 'flex', choices: [] }, { id: 'a' }) },
    'flex',
  ],
  // What is asked for is said first, and what was served last.
  [
    openai,
    {
      body: sse(
        { type: 'response.created', response: { id: 'r', service_tier: 'auto' } },
        { type: 'response.completed', response: { id: 'r', service_tier: 'priority' } },
      ),
    },
    'priority',
  ],
  [openai, { body: { id: 'r', status: 'completed', service_tier: 'scale' } }, 'scale'],
  [openai, { body: { id: 'r', status: 'completed', service_tier: 'auto' } }, undefined],
  [messages, { body: { id: 'm', usage: { service_tier: 'standard' } } }, 'standard'],
  [messages, { body: { id: 'm', usage: { service_tier: 'priority' } } }, 'priority'],
  [
    messages,
    { body: { id: 'm', usage: { service_tier: 'standard', speed: 'fast' } } },
    'fast',
  ],
  [
    messages,
    { body: { id: 'm', usage: { service_tier: 'standard', speed: 'standard' } } },
    'standard',
  ],
  [
    messages,
    {
      body: sse(
        { type: 'message_start', message: { id: 'm', usage: { service_tier: 'batch' } } },
        { type: 'message_delta', delta: {}, usage: { output_tokens: 1 } },
      ),
    },
    'batch',
  ],
  [gemini, { body: { usageMetadata: { serviceTier: 'flex' } } }, 'flex'],
  [
    gemini,
    { body: { usageMetadata: {} }, fields: { 'x-gemini-service-tier': 'priority' } },
    'priority',
  ],
  [vertex, { body: { usageMetadata: { trafficType: 'ON_DEMAND' } } }, 'on_demand'],
  [
    vertex,
    { body: { usageMetadata: { trafficType: 'PROVISIONED_THROUGHPUT' } } },
    'provisioned_throughput',
  ],
  [
    'POST generativelanguage.googleapis.com/v1beta/interactions',
    { body: { id: 'i', status: 'completed', service_tier: 'SERVICE_TIER_PRIORITY' } },
    'priority',
  ],
  [converse, { body: { serviceTier: { type: 'reserved' }, usage: {} } }, 'reserved'],
  [
    converse,
    { body: { performanceConfig: { latency: 'optimized' }, usage: {} } },
    'optimized',
  ],
  [
    converse,
    { body: { performanceConfig: { latency: 'standard' }, usage: {} } },
    undefined,
  ],
  [
    invoke,
    { body: { output: {} }, fields: { 'x-amzn-bedrock-service-tier': 'flex' } },
    'flex',
  ],
  [
    invoke,
    {
      body: { output: {} },
      fields: { 'x-amzn-bedrock-performanceconfig-latency': 'optimized' },
    },
    'optimized',
  ],
  [
    'GET api.openai.com/v1/batches/batch_1',
    { body: { id: 'batch_1', status: 'completed', usage: { input_tokens: 1 } } },
    'batch',
  ],
  [
    'GET generativelanguage.googleapis.com/v1beta/batches/b',
    { body: { name: 'batches/b', done: true, response: {} } },
    'batch',
  ],
]

describe('a service tier', () => {
  for (const [line, answer, tier] of TOLD)
    it(`is ${tier ?? 'not told'} where ${line.slice(0, 60)} says ${JSON.stringify(answer).slice(0, 110)}`, () => {
      assert.equal(served(line, answer), tier)
    })

  it('is standard by the names of the standard one alone', () => {
    for (const tier of ['standard', 'default', 'on_demand', undefined])
      assert.ok(isStandard(tier), tier)
    for (const tier of [
      'flex',
      'priority',
      'scale',
      'batch',
      'fast',
      'new',
      'constructor',
    ])
      assert.ok(!isStandard(tier), tier)
  })

  it('is bounded, and is a word', () => {
    assert.equal(tierNamed('x'.repeat(100))?.length, 32)
    for (const none of ['', ' ', 'auto', null, 7, {}])
      assert.equal(tierNamed(none), undefined)
  })
})
