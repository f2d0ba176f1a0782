import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import { proxyPac } from '../../../src/proxy/site/proxy-pac.js'
import type { Endpoint } from '../../../src/policy/endpoints.js'

const on = (domain: string, more: Partial<Endpoint> = {}): Endpoint => ({
  domain,
  enabled: true,
  route: 'intercept',
  ...more,
})

/** As a browser runs it: nothing of ours is in its world. */
function proxyFor(pac: string, host: string): unknown {
  return runInNewContext(`${pac}; FindProxyForURL('https://${host}/', '${host}')`)
}

describe('/proxy.pac', () => {
  const pac = proxyPac(
    [
      on('api.openai.com'),
      on('*.openai.azure.com'),
      on('refused.test', { route: 'refuse' }),
      on('off.test', { enabled: false }),
      on('tunnel.test', { route: 'tunnel' }),
    ],
    '192.168.1.1:8443',
  )
  const ours = 'PROXY 192.168.1.1:8443; DIRECT'
  const table: readonly (readonly [string, string])[] = [
    ['api.openai.com', ours],
    ['API.OpenAI.com', ours],
    ['api.openai.com.', ours],
    ['x.openai.azure.com', ours],
    ['a.b.openai.azure.com', ours],
    ['refused.test', ours],
    ['openai.azure.com', 'DIRECT'],
    ['notopenai.azure.com', 'DIRECT'],
    ['.openai.azure.com', 'DIRECT'],
    ['chat.api.openai.com', 'DIRECT'],
    ['off.test', 'DIRECT'],
    ['tunnel.test', 'DIRECT'],
    ['example.com', 'DIRECT'],
    ['toString', 'DIRECT'],
    ['__proto__', 'DIRECT'],
  ]
  for (const [host, proxy] of table) {
    it(`leads ${host} to ${proxy}`, () => {
      assert.equal(proxyFor(pac, host), proxy)
    })
  }

  it('keeps every name and address inside its string', () => {
    const evil = `x"; throw new Error('out'); //</script>\u2028`
    const text = proxyPac([on(evil)], evil)
    assert.equal(proxyFor(text, 'example.com'), 'DIRECT')
    assert.doesNotMatch(text, /<\/script|\u2028/)
  })
})
