import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { OpenQuestion } from '../../src/control/open-answers.js'
import { Controlled } from '../support/control.js'
import { lint, scrape } from '../support/prometheus.js'

const run = promisify(execFile)

describe('what another port answers for the control plane', () => {
  let on: Controlled
  before(async () => {
    on = await Controlled.start({ config: { control: { listen: 'off' } } })
  })
  after(() => on[Symbol.asyncDispose]())

  const ask = (path: string, more: Partial<OpenQuestion> = {}) =>
    on.control.openAnswer({
      verb: 'GET',
      path,
      host: 'localhost:4000',
      from: '127.0.0.1',
      ...more,
    })

  it('is state, counters and configuration, as behind the door', async () => {
    const health = await ask('/health')
    assert.deepEqual(JSON.parse(health?.body ?? ''), { status: 'healthy' })
    const metrics = await ask('/metrics')
    assert.deepEqual(lint(scrape(metrics?.body ?? '')), [])
    assert.match(metrics?.fields['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
    const inside = await on.ask('/config', { socket: true })
    assert.deepEqual(JSON.parse((await ask('/config'))?.body ?? ''), inside.body)
  })

  it('leaves every other path and verb to the port', async () => {
    const paths = ['/', '/v1/health', '/health/', '/metrics/x', '/api/status', '//config']
    for (const path of [...paths, '/HEALTH', '/constructor', '/%68ealth'])
      assert.equal(await ask(path), undefined, path)
    for (const verb of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get'])
      assert.equal(await ask('/health', { verb }), undefined, verb)
    assert.equal((await ask('/health?verbose=1', { verb: 'HEAD' }))?.status, 200)
  })

  it('tells others than loopback the state alone', async () => {
    const others = ['192.168.1.4', '10.0.0.1', 'fe80::1', '::', '0.0.0.0', 'x', undefined]
    for (const from of others) {
      assert.equal((await ask('/health', { from }))?.status, 200)
      for (const path of ['/metrics', '/config']) {
        const said = await ask(path, { from })
        assert.equal(said?.status, 403, String(from))
        assert.deepEqual(Object.keys(JSON.parse(said?.body ?? '') as object), [
          'error',
          'message',
        ])
      }
    }
    for (const from of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])
      assert.equal((await ask('/config', { from }))?.status, 200, from)
  })

  it('tells no page of a browser, and nobody by another name', async () => {
    const hosts = ['evil.example', 'evil.example:4000', 'localhost.evil.example', '']
    for (const host of [...hosts, 'localhost:4000:1', 'user@localhost', undefined])
      for (const path of ['/metrics', '/config'])
        assert.equal((await ask(path, { host }))?.status, 403, `${host} ${path}`)
    for (const host of ['127.0.0.1', '[::1]:4000', 'LOCALHOST'])
      assert.equal((await ask('/metrics', { host }))?.status, 200, host)
    for (const site of ['cross-site', 'same-site', 'same-origin'])
      for (const path of ['/health', '/metrics', '/config'])
        assert.equal((await ask(path, { site }))?.status, 403, `${site} ${path}`)
    const origin = 'http://localhost:4000'
    assert.equal((await ask('/config', { origin }))?.status, 403)
    assert.equal((await ask('/config', { site: 'none' }))?.status, 200)
  })

  describe('behind a port of node:http', () => {
    let server: Server
    before((done) => {
      server = createServer((request, response) => {
        const { method: verb = '', url: path = '', headers, socket } = request
        const from = socket.remoteAddress
        void on.control
          .openAnswer({ verb, path, host: headers.host, from })
          .then((answer) => {
            response.writeHead(answer?.status ?? 404, answer?.fields)
            response.end(verb === 'HEAD' ? undefined : answer?.body)
          })
      }).listen(0, '127.0.0.1', done)
    })
    after((done) => {
      server.close(done)
      server.closeAllConnections()
    })

    it('is what curl gets', async () => {
      const { port } = server.address() as AddressInfo
      const url = `http://localhost:${port}`
      const curl = async (...args: string[]) =>
        (await run('curl', ['-sS', '--max-time', '20', '-4', ...args])).stdout
      assert.deepEqual(JSON.parse(await curl(`${url}/health`)), { status: 'healthy' })
      assert.match(await curl(`${url}/metrics`), /^yori_requests_total|^yori_info/m)
      assert.match(await curl('-I', `${url}/config`), /^HTTP\/1\.1 200 OK/)
      const code = ['-o', '/dev/null', '-w', '%{http_code}']
      assert.equal(
        await curl(...code, '-H', 'Host: evil.example', `${url}/config`),
        '403',
      )
      assert.equal(await curl(...code, `${url}/v1/models`), '404')
    })
  })
})
