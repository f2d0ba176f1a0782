/** The trust page's files and the self-test, on the wire. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { request } from 'undici'
import { behind, NAME, originCa } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { readTrust, trustPath } from '../../../src/net/trust-file.js'

const TEST = '/.well-known/yori/self-test'

const provider = (config = {}): Promise<Proxied> =>
  behind((_request, response) => void response.end('provider'), config)

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

async function selfTest(
  { yori }: Proxied,
  path: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'POST' = 'GET',
): Promise<Answer> {
  const dispatcher = yori.dispatcher()
  const answer = await request(`https://${NAME}${path}`, { dispatcher, headers, method })
  const text = await answer.body.text()
  return { status: answer.statusCode, headers: answer.headers, text }
}

const bodyOf = ({ text }: Answer): Record<string, unknown> =>
  JSON.parse(text) as Record<string, unknown>

describe('the self-test', () => {
  it('is answered by YORI with the nonce and its root, and reaches no provider', async () => {
    await using setup = await provider()
    const answer = await selfTest(setup, `${TEST}?nonce=abc123`)
    assert.deepEqual(bodyOf(answer), {
      yori: true,
      name: NAME,
      nonce: 'abc123',
      root: new X509Certificate(setup.yori.rootPem).fingerprint256,
      fresh: true,
    })
    assert.equal(answer.headers['connection'], 'close')
    assert.equal(answer.headers['access-control-allow-origin'], undefined)
    assert.equal(setup.origin.accepted, 0)
  })

  it('may be read by a page of our own site and by no other', async () => {
    await using setup = await provider()
    const { port } = setup.yori
    for (const own of [`http://127.0.0.1:${port}`, `https://localhost:${port}`]) {
      const { status, headers } = await selfTest(setup, TEST, { origin: own })
      assert.equal(status, 200)
      assert.equal(headers['access-control-allow-origin'], own)
    }
    const foreign = [
      'https://evil.example',
      'null',
      `http://127.0.0.1:${port + 1}`,
      'http://127.0.0.1',
      `http://127.0.0.1.evil.example:${port}`,
    ]
    for (const origin of foreign) {
      const { status, headers, text } = await selfTest(setup, TEST, { origin })
      assert.deepEqual([status, text], [403, ''], origin)
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
    const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }
    assert.equal((await selfTest(setup, TEST, image)).status, 403)
  })

  it('may be read by the page at the port to which the packet filter leads', async () => {
    const steer = { interfaces: ['lan0'] }
    const at = (port: number): ReturnType<typeof provider> =>
      provider({ steer, access: { trust_page_port: port } })
    {
      await using setup = await at(80)
      for (const [origin, status] of [
        ['http://127.0.0.1', 200],
        ['http://localhost', 200],
        ['https://localhost', 403],
        ['http://127.0.0.1:81', 403],
        ['http://evil.example', 403],
      ] as const) {
        const answer = await selfTest(setup, TEST, { origin })
        assert.equal(answer.status, status, origin)
        const readable = answer.headers['access-control-allow-origin']
        assert.equal(readable, status === 200 ? origin : undefined)
      }
    }
    await using setup = await at(8080)
    const { status } = await selfTest(setup, TEST, { origin: 'http://localhost:8080' })
    assert.equal(status, 200)
  })

  it('gives back no nonce that is more than a nonce', async () => {
    await using setup = await provider()
    for (const nonce of ['%3Cscript%3E', 'x'.repeat(65), ''])
      assert.equal(bodyOf(await selfTest(setup, `${TEST}?nonce=${nonce}`))['nonce'], null)
  })

  it('takes GET alone', async () => {
    await using setup = await provider()
    assert.equal((await selfTest(setup, TEST, {}, 'POST')).status, 405)
  })

  it('is remembered for the device and the root, over a restart', async () => {
    await using setup = await provider()
    const { yori } = setup
    await selfTest(setup, TEST)
    await yori.appliance.stop()
    const [entry] = await readTrust(trustPath(yori.folder.file('state')))
    assert.equal(entry?.device, '127.0.0.1')
    assert.equal(entry.root, new X509Certificate(yori.rootPem).fingerprint256)
    assert.equal(entry.trustedName, NAME)
  })
})

describe('the trust page', () => {
  it('gives the root in each form', async () => {
    await using setup = await provider()
    const { url, rootPem } = setup.yori
    const raw = new X509Certificate(rootPem).raw
    const load = (path: string): Promise<Response> => fetch(`${url}${path}`)
    const cer = await load('/yori-root.cer')
    assert.equal(cer.headers.get('content-type'), 'application/x-x509-ca-cert')
    assert.deepEqual(Buffer.from(await cer.arrayBuffer()), raw)
    assert.equal(await (await load('/yori-root.pem')).text(), rootPem)
    const profile = await load('/yori-root.mobileconfig')
    assert.equal(profile.headers.get('content-type'), 'application/x-apple-aspen-config')
    assert.ok((await profile.text()).includes(raw.toString('base64')))
    assert.equal((await load('/yori-next-root.cer')).status, 404)
    assert.match(await (await load('/proxy.pac')).text(), /"api\.openai\.com"/)
  })

  it('holds no key and answers HEAD as GET without a body', async () => {
    await using setup = await provider()
    const page = await fetch(`${setup.yori.url}/trust`)
    const html = await page.text()
    assert.doesNotMatch(html, /PRIVATE KEY/)
    const head = await fetch(`${setup.yori.url}/trust`, { method: 'HEAD' })
    assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(html)))
    assert.equal(await head.text(), '')
  })

  it('begins a test for pages of its own only', async () => {
    await using setup = await provider()
    const { url } = setup.yori
    const again = (origin?: string): Promise<Response> =>
      fetch(`${url}/trust/again`, {
        method: 'POST',
        headers: origin === undefined ? {} : { origin },
      })
    assert.equal((await again(url)).status, 200)
    assert.equal((await again('https://evil.example')).status, 403)
    assert.equal((await fetch(`${url}/trust/again`)).status, 405)
  })

  it('tells what became of a test that went on untouched', async () => {
    const config = { intercept: { exempt_devices: ['127.0.0.1'] } }
    await using setup = await provider(config)
    const { yori } = setup
    const result = async (): Promise<unknown> =>
      await (await fetch(`${yori.url}/trust/result`)).json()
    assert.deepEqual(await result(), {
      kind: null,
      says: 'No test of this device is under way.',
    })
    await fetch(`${yori.url}/trust/again`, { method: 'POST' })
    assert.equal(((await result()) as { kind: unknown }).kind, 'nothing')
    const socket = await yori.tls(NAME, { ca: originCa.certificatePem })
    socket.destroy()
    const { kind, says } = (await result()) as { kind: unknown; says: string }
    assert.equal(kind, 'passed')
    assert.match(says, /left the connection untouched \(tunnel-exempt\)/)
  })

  it('is not served in the name of a provider', async () => {
    await using setup = await provider()
    assert.equal((await selfTest(setup, '/trust/result')).text, 'provider')
    assert.equal((await selfTest(setup, '/yori-root.cer')).text, 'provider')
  })

  it('tells of no test where nothing can be tested', async () => {
    await using setup = await provider({ endpoints: [{ domain: '*.openai.azure.com' }] })
    const { url } = setup.yori
    const answer = await fetch(`${url}/trust/again`, { method: 'POST' })
    assert.equal(answer.status, 409)
    assert.match(await (await fetch(`${url}/`)).text(), /nothing to test now/)
  })
})
