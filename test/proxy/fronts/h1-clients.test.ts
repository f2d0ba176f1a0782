/**
 * Clients as they are, with transports of their own, over HTTP/1.1: what each does with
 * uploads, answers without a body, connections that stay, and requests sent ahead. In observe
 * and where policies are asked first.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request as nodeRequest } from 'node:https'
import { Client } from 'undici'
import { curl } from '../../support/programs.js'
import { needs } from '../../support/needs.js'
import { behind, endedExchanges, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { openaiSdk } from '../../support/sdk.js'
import { collect } from '../../support/streams.js'

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const ENFORCING = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
}

/** Tells how it was asked; `/stream` speaks in events, `/slow` answers in its own time. */
async function telling(config: Record<string, unknown>): Promise<Proxied> {
  return behind((request, response) => {
    const { method = '', url = '' } = request
    if (url === '/v1/chat/completions') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const content of ['Hel', 'lo']) {
        const choices = [{ index: 0, delta: { content } }]
        const event = {
          id: 'a',
          object: 'chat.completion.chunk',
          model: 'gpt-4o',
          choices,
        }
        response.write(`data: ${JSON.stringify(event)}\n\n`)
      }
      response.end('data: [DONE]\n\n')
      return
    }
    void collect(request).then((body) => {
      const told = `${method} ${url} ${body.length} ${sha(body).slice(0, 8)}\n`
      response.writeHead(url === '/v1/none' ? 204 : 200, { 'x-told': method })
      response.end(method === 'HEAD' || url === '/v1/none' ? undefined : told)
    })
  }, config)
}

for (const [mode, config] of [
  ['observe', {}],
  ['enforce', ENFORCING],
] as const) {
  describe(`clients over HTTP/1.1, in ${mode}`, () => {
    let setup: Proxied

    before(async function () {
      needs(this, 'curl')
      setup = await telling(config)
    })
    after(() => setup[Symbol.asyncDispose]())

    /** `more`: a second and third transfer of the same run. */
    async function curled(args: string[], ...more: string[][]): Promise<string> {
      const { yori } = setup
      const each = [
        ...['--http1.1', '--proxy', yori.url, '--cacert', yori.rootFile],
        ...['--max-time', '30'],
      ]
      const all = more.flatMap((next) => ['--next', ...each, ...next])
      const { status, stdout, stderr } = await curl([...each, ...args, ...all])
      assert.equal(status, 0, stderr)
      return stdout.toString()
    }

    it('curl uploads 3 MB, asking first whether it may', async () => {
      const bytes = Buffer.alloc(3_000_000, 'upload ')
      const file = setup.yori.folder.file(`upload-${mode}`)
      writeFileSync(file, bytes)
      const told = `${bytes.length} ${sha(bytes).slice(0, 8)}\n`
      for (const how of [[], ['-H', 'Transfer-Encoding: chunked']]) {
        const args = ['-T', file, '-H', 'Expect: 100-continue', '-v', ...how]
        assert.equal(await curled([...args, `https://${NAME}/v1/f`]), `PUT /v1/f ${told}`)
      }
    })

    it('curl goes on after answers without a body, on one connection', async () => {
      const url = `https://${NAME}/v1`
      const each = ['-w', '%{http_code} %{num_connects}\n']
      const said = await curled(
        [...each, '-I', '-o', '/dev/null', `${url}/a`],
        [...each, `${url}/none`],
        [...each, `${url}/b`],
      )
      const lines = said.trim().split('\n')
      assert.equal(lines[0], '200 1', 'the first connects')
      assert.match(lines.at(-1) ?? '', /^200 0$/)
      assert.ok(said.includes('204 0') && said.includes('GET /v1/b 0 '), said)
    })

    it('curl by HTTP/1.0 gets all, with the end of the connection as the end', async () => {
      const said = await curled(['-0', '-i', `https://${NAME}/v1/old`])
      assert.match(
        said,
        /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n[^]*GET \/v1\/old 0 /i,
      )
      assert.doesNotMatch(said, /transfer-encoding/i)
    })

    it('undici sends ten ahead and gets ten answers in their order', async () => {
      const socket = await setup.yori.tls(NAME)
      const client = new Client(`https://${NAME}`, {
        pipelining: 10,
        connect: (_options, done) => done(null, socket),
      })
      const asked = Array.from({ length: 10 }, async (_, at) => {
        const path = `/v1/ahead-${at}`
        const answer = await client.request({ method: 'GET', path })
        return [path, await answer.body.text()] as const
      })
      for (const [path, text] of await Promise.all(asked)) {
        assert.ok(text.startsWith(`GET ${path} 0 `), text)
      }
      await client.close()
    })

    it('Node’s own client sends trailers behind its chunks', async () => {
      const socket = await setup.yori.tls(NAME)
      const answer = await new Promise<string>((resolve, reject) => {
        const request = nodeRequest(
          {
            ...{ host: NAME, path: '/v1/t', method: 'POST' },
            createConnection: () => socket,
            headers: { host: NAME, 'transfer-encoding': 'chunked', trailer: 'x-sum' },
          },
          (response) => void collect(response).then((all) => resolve(all.toString())),
        )
        request.once('error', reject)
        request.write('abc')
        request.addTrailers({ 'x-sum': '3' })
        request.end('def')
      })
      assert.equal(answer, `POST /v1/t 6 ${sha(Buffer.from('abcdef')).slice(0, 8)}\n`)
      socket.destroy()
    })

    it('the SDK of OpenAI streams an answer', async () => {
      const sdk = openaiSdk({ dispatcher: setup.yori.dispatcher() })
      const stream = await sdk.chat.completions.create({
        model: 'gpt-4o',
        stream: true,
        messages: [{ role: 'user', content: 'hello' }],
      })
      let text = ''
      for await (const event of stream) text += event.choices[0]?.delta.content ?? ''
      assert.equal(text, 'Hello')
    })

    it('and each of these exchanges has its row, complete', async () => {
      const rows = await endedExchanges(setup.yori, 18)
      assert.equal(rows.length, 18)
      for (const row of rows) assert.equal(row['code'], null, String(row['http_path']))
      const uploads = rows.filter((row) => row['http_path'] === '/v1/f')
      assert.deepEqual(
        uploads.map((row) => row['request_bytes']),
        [3_000_000, 3_000_000],
      )
    })
  })
}
