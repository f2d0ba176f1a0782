/**
 * `/mcp/...` to the gateway of agents: every request goes with the token and a proof that jose
 * takes (RFC 9449), what else stands in its head goes on, and the official client of the older
 * transport comes back by the address that the stream tells. One YORI and one gateway for all.
 */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } from 'jose'
import { Pool, request } from 'undici'
import type { Origin } from '../../support/origins.js'
import { startOrigin } from '../../support/origins.js'
import { collect } from '../../support/streams.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { Yori } from '../../support/yori.js'

const TOKEN = 'fo_agent_kitchen-1'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Verifies a proof as a gateway does; gives its claims. */
async function claimsOf(seen: Seen, base: string): Promise<Record<string, unknown>> {
  const proof = String(seen.headers['dpop'])
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: ['ES256'],
    maxTokenAge: 60,
  })
  const { jwk } = protectedHeader
  assert.ok(jwk)
  assert.equal('d' in jwk, false)
  assert.equal(
    await calculateJwkThumbprint(jwk),
    await calculateJwkThumbprint(publicKey.export({ format: 'jwk' })),
  )
  assert.equal(payload['htm'], seen.method)
  assert.equal(payload['htu'], base + (seen.url.split('?')[0] as string))
  assert.equal(payload['ath'], createHash('sha256').update(TOKEN).digest('base64url'))
  return payload
}

describe('/mcp to the gateway of agents', () => {
  let folder: TempFolder
  let gateway: Origin
  let yori: Yori
  let base: string
  const seen: Seen[] = []
  /** Answers instead of the usual; gets what has been seen. */
  let answer: ((now: Seen, response: ServerResponse) => boolean) | undefined
  const streams = new Map<string, SSEServerTransport>()

  before(async () => {
    folder = await tempFolder()
    const keyFile = folder.file('agent.pem')
    writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }))
    gateway = await startOrigin({
      handler: (asked, response) => void serve(asked, response),
    })
    base = `http://${gateway.address}`
    yori = await Yori.start({
      config: {
        mode: 'enforce',
        enforcement: { enabled: true, consent_accepted: true },
        policies: { files: { keyword_guard: { enabled: true, action: 'block' } } },
        mcp: { gateway: { url: `${base}/`, agent_id: 'kitchen-1', key_file: keyFile } },
      },
    })
  })
  after(async () => {
    await yori?.[Symbol.asyncDispose]()
    await gateway?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    seen.length = 0
    answer = undefined
  })

  async function serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const body =
      asked.url?.startsWith('/mcp/sse') === true ? '' : (await collect(asked)).toString()
    const now = {
      method: asked.method ?? '',
      url: asked.url ?? '',
      headers: asked.headers,
      body,
    }
    seen.push(now)
    if (answer?.(now, response) === true) return
    const { pathname, searchParams } = new URL(now.url, base)
    if (pathname === '/mcp/sse') await openStream(response)
    else if (pathname === '/mcp/sse/message')
      await streams
        .get(searchParams.get('sessionId') ?? '')
        ?.handlePostMessage(asked, response)
    else response.end(JSON.stringify({ path: now.url, body }))
  }

  /** As a gateway that tells its own address in full, a byte at a time. */
  async function openStream(response: ServerResponse): Promise<void> {
    const write = response.write.bind(response)
    const said = (chunk: string): boolean => {
      const text = chunk.replace('data: /mcp', `data: ${base}/mcp`)
      for (const byte of Buffer.from(text)) write(Buffer.from([byte]))
      return true
    }
    response.write = said as typeof response.write
    const transport = new SSEServerTransport('/mcp/sse/message', response)
    streams.set(transport.sessionId, transport)
    const server = new McpServer({ name: 'beyond', version: '1' })
    server.registerTool('greet', {}, () => ({
      content: [{ type: 'text', text: `Grüße 日本 ${base}/mcp/sse/message` }],
    }))
    await server.connect(transport)
  }

  it('signs each request with a proof of its own that jose takes', async () => {
    const ids = new Set<unknown>()
    for (const method of ['POST', 'GET', 'DELETE'] as const) {
      const { statusCode, body } = await request(`${yori.url}/mcp/proxy/c%2F1?a=b`, {
        method,
        headers: {
          authorization: 'Bearer of-the-agent',
          dpop: 'of-the-agent',
          'mcp-session-id': 's1',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/list',
          'x-else': 'stays',
          'last-event-id': '7',
        },
        ...(method === 'POST'
          ? { body: '{"jsonrpc":"2.0","method":"tools/list","id":1}' }
          : {}),
      })
      assert.equal(statusCode, 200)
      await body.dump()
      const [now] = seen.splice(0)
      assert.ok(now)
      assert.equal(now.url, '/mcp/proxy/c%2F1?a=b')
      assert.equal(now.headers.authorization, `Bearer ${TOKEN}`)
      assert.equal(now.headers['mcp-session-id'], 's1')
      assert.equal(now.headers['mcp-method'], 'tools/list')
      assert.equal(now.headers['mcp-protocol-version'], '2026-07-28')
      assert.equal(now.headers['x-else'], 'stays')
      assert.equal(now.headers['last-event-id'], '7')
      const { jti, nonce } = await claimsOf(now, base)
      assert.equal(nonce, undefined)
      ids.add(jti)
    }
    assert.equal(ids.size, 3)
  })

  it('asks once more, with the same body, where the gateway wants its nonce said', async () => {
    const wants = (now: Seen, response: ServerResponse): boolean => {
      if (seen.length > 1) return false
      assert.ok(now.headers['dpop'])
      response.writeHead(401, {
        'www-authenticate': 'DPoP error="use_dpop_nonce", error_description="say it"',
        'dpop-nonce': 'n-1',
      })
      response.end('not yet')
      return true
    }
    for (const body of ['{"short":1}', JSON.stringify({ long: 'x'.repeat(200_000) })]) {
      seen.length = 0
      answer = wants
      const got = await request(`${yori.url}/mcp/proxy/1`, { method: 'POST', body })
      assert.equal(got.statusCode, 200)
      assert.deepEqual(await got.body.json(), { path: '/mcp/proxy/1', body })
      assert.equal(seen.length, 2)
      const [first, second] = await Promise.all(seen.map((one) => claimsOf(one, base)))
      assert.equal(second?.['nonce'], 'n-1')
      assert.notEqual(first?.['jti'], second?.['jti'])
    }
    // Whatever comes afterwards says it at once.
    answer = undefined
    seen.length = 0
    await (await request(`${yori.url}/mcp/proxy/1`)).body.dump()
    assert.equal((await claimsOf(seen[0] as Seen, base))['nonce'], 'n-1')
  })

  it('asks no third time, and not for another reason', async () => {
    answer = (_now, response) => {
      response.writeHead(401, {
        'www-authenticate': 'DPoP error="use_dpop_nonce"',
        'dpop-nonce': `n-${seen.length}`,
      })
      response.end()
      return true
    }
    const twice = await request(`${yori.url}/mcp/proxy/1`, { method: 'POST', body: '{}' })
    await twice.body.dump()
    assert.equal(twice.statusCode, 401)
    assert.equal(seen.length, 2)
    seen.length = 0
    answer = (_now, response) => {
      response.writeHead(401, { 'www-authenticate': 'DPoP error="invalid_token"' })
      response.end()
      return true
    }
    const once = await request(`${yori.url}/mcp/proxy/1`, { method: 'POST', body: '{}' })
    await once.body.dump()
    assert.equal(once.statusCode, 401)
    assert.equal(seen.length, 1)
  })

  it('leads the official client of HTTP+SSE back by our own address', async () => {
    const client = new Client({ name: 'one', version: '1' })
    await client.connect(new SSEClientTransport(new URL(`${yori.url}/mcp/sse`)))
    try {
      const { tools } = await client.listTools()
      assert.deepEqual(
        tools.map(({ name }) => name),
        ['greet'],
      )
      const { content } = await client.callTool({ name: 'greet', arguments: {} })
      assert.deepEqual(content, [
        { type: 'text', text: `Grüße 日本 ${yori.url}/mcp/sse/message` },
      ])
      assert.ok(seen.every(({ headers }) => headers.authorization === `Bearer ${TOKEN}`))
      assert.ok(seen.filter(({ method }) => method === 'POST').length >= 3)
      for (const one of seen) await claimsOf(one, base)
    } finally {
      await client.close()
    }
  })

  it('refuses a path that the gateway may take for another, and who comes from elsewhere', async () => {
    const undotted = { path: '/mcp/proxy/%2e%2e/x', method: 'GET' as const }
    const { statusCode, body } = await new Pool(yori.url).request(undotted)
    assert.equal(statusCode, 400)
    const told = (await body.json()) as { error: { data: { code: string } } }
    assert.equal(told.error.data.code, 'YORI_NOT_FORWARDED')
    const foreign = await request(`${yori.url}/mcp/proxy/1`, {
      headers: { origin: 'https://elsewhere.example' },
    })
    await foreign.body.dump()
    assert.equal(foreign.statusCode, 403)
    assert.equal(seen.length, 0)
  })
})
