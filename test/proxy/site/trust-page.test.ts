import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { deviceKindOf } from '../../../src/proxy/site/device-kind.js'
import { trustPage, trustPageFields } from '../../../src/proxy/site/trust-page.js'
import type { TrustPage } from '../../../src/proxy/site/trust-page.js'

const root = { sha256: 'AA:BB', path: '/yori-root' }
const page: TrustPage = {
  guess: deviceKindOf(undefined),
  seenAs: ['192.168.1.23'],
  root,
  constrained: true,
  testName: 'api.openai.com',
  address: 'http://192.168.1.1:8443/',
}

describe('the trust page', () => {
  it('puts the steps of the asking device first and keeps the others', () => {
    const html = trustPage({
      ...page,
      guess: deviceKindOf('Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)'),
    })
    assert.match(html, /On this device: iPhone and iPad[^]*Certificate Trust Settings/)
    assert.match(html, /href="\/yori-root\.mobileconfig">Download/)
    assert.match(html, /<summary>Android<\/summary>/)
    assert.doesNotMatch(html, /<summary>iPhone/)
  })

  it('tests in the fourth step of a phone, and offers what it can use', () => {
    for (const [agent, steps, profile] of [
      ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)', 4, true],
      ['Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/131.0', 4, false],
    ] as const) {
      const html = trustPage({ ...page, guess: deviceKindOf(agent) })
      const own = /<section>[^]*?<\/section>/.exec(html)?.[0] ?? ''
      const items = own.split('<li>').slice(1)
      assert.equal(items.length, steps, agent)
      assert.match(items.at(-1) ?? '', /<button type="submit">Test now/)
      assert.equal(own.includes('.mobileconfig'), profile, agent)
    }
  })

  it('escapes what devices and configuration call themselves', () => {
    const evil = `"><script>alert(1)</script>&'`
    const html = trustPage({
      ...page,
      seenAs: [evil],
      testName: evil,
      address: evil,
      root: { ...root, sha256: evil },
    })
    assert.doesNotMatch(html, /<script>alert/)
    assert.equal(html.match(/<script>/g)?.length, 1)
  })

  it('lets nothing run and load but its own script and style, by their hashes', () => {
    const html = trustPage(page)
    const fields = trustPageFields('api.openai.com')
    const policy = fields[fields.indexOf('content-security-policy') + 1] ?? ''
    for (const element of ['script', 'style']) {
      const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(html)?.[1] ?? ''
      const hash = createHash('sha256').update(text).digest('base64')
      assert.ok(policy.includes(`${element}-src 'sha256-${hash}'`), element)
    }
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /connect-src 'self' https:\/\/api\.openai\.com;/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.doesNotMatch(html, / (?:src|style|on[a-z]+)=/)
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href ?? '')
    for (const href of links)
      assert.ok(href.startsWith('/') || href === page.address, href)
  })

  it('says so when there is nothing to test, and when nobody else can come here', () => {
    const html = trustPage({ ...page, testName: undefined, address: undefined })
    assert.match(html, /nothing to test now/)
    assert.match(html, /listens on no address of a private network/)
    assert.doesNotMatch(html, /<form|<svg/)
  })

  it('promises name constraints only where there are any', () => {
    assert.match(trustPage(page), /banks, mail and all other sites are out of its reach/)
    assert.match(trustPage({ ...page, constrained: false }), /could vouch for any site/)
  })
})
