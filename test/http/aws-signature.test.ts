/** Requests signed for AWS: whatever they hold, Amazon's own library signs them alike. */
import assert from 'node:assert/strict'
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import fc from 'fast-check'
import { awsSigned } from '../../src/http/aws-signature.js'
import { fieldValues } from '../../src/http/flat-fields.js'
import { holds } from '../support/property.js'

const REGION = 'eu-central-1'
const identity = { accessKeyId: 'nobody', secretAccessKey: 'a-secret-for-nobody' }

async function bySdk(
  asked: Asked,
  host: string,
  sessionToken: string | undefined,
): Promise<string | undefined> {
  const { method, segments, query, fields, body, at } = asked
  const client = new BedrockRuntimeClient({
    region: REGION,
    credentials: { ...identity, ...(sessionToken === undefined ? {} : { sessionToken }) },
  })
  const signer = await client.config.signer({
    schemeId: 'aws.auth#sigv4',
    signingName: 'bedrock',
    signingRegion: REGION,
    properties: {},
  } as never)
  const request = {
    method,
    protocol: 'https:',
    hostname: host,
    path: pathOf(segments),
    query,
    headers: { host, ...fields },
    body: Buffer.from(body),
  }
  const signed = await signer.sign(request, { signingDate: new Date(at) })
  return (signed as unknown as { headers: Record<string, string> }).headers[
    'authorization'
  ]
}

interface Asked {
  readonly method: string
  readonly segments: readonly string[]
  readonly query: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly at: number
}

function pathOf(segments: readonly string[]): string {
  return `/${segments.map(encodeURIComponent).join('/')}`
}

const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
const plain = fc.stringMatching(/^[a-z]{1,8}$/)
const asked: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  segments: fc.array(
    word.filter((text) => text !== '.' && text !== '..'),
    { maxLength: 4 },
  ),
  query: fc.dictionary(word, word, { maxKeys: 3 }),
  fields: fc
    .tuple(
      fc.dictionary(
        plain.map((name) => `x-amz-meta-${name}`),
        fc.stringMatching(/^[!-~]( {0,3}[!-~]){0,9}$/),
        { maxKeys: 3 },
      ),
      fc.constantFrom('application/json', 'text/plain;  charset=utf-8'),
    )
    .map(([more, type]) => ({ ...more, 'content-type': type, 'user-agent': 'somebody' })),
  body: fc.uint8Array({ maxLength: 64 }),
  at: fc.integer({ min: 0, max: 4e12 }),
})

describe('a request signed for AWS', () => {
  holds(
    "has the signature that Amazon's library gives it",
    fc.asyncProperty(
      asked,
      fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{4,30}$/), { nil: undefined }),
      async (request, sessionToken) => {
        const host = `bedrock-runtime.${REGION}.amazonaws.com`
        const query = new URLSearchParams(request.query).toString().replaceAll('+', '%20')
        const fields = awsSigned(
          {
            method: request.method,
            host,
            path: pathOf(request.segments) + (query === '' ? '' : `?${query}`),
            fields: [
              ...Object.entries(request.fields).flat(),
              // What somebody else had signed counts for nothing.
              ...['Authorization', 'AWS4-HMAC-SHA256 Credential=x', 'X-Amz-Date', 'then'],
              ...['x-amz-security-token', 'theirs'],
            ],
            body: Buffer.from(request.body),
          },
          { ...identity, sessionToken, region: REGION, service: 'bedrock' },
          request.at,
        )
        const [mine, ...others] = fieldValues(fields, 'authorization')
        assert.deepEqual(others, [])
        assert.equal(mine, await bySdk(request, host, sessionToken))
        assert.deepEqual(
          fieldValues(fields, 'x-amz-security-token'),
          sessionToken === undefined ? [] : [sessionToken],
        )
      },
    ),
  )
})
