/** The block page in a browser: what a person sees, and the way out of it. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { hashPassword } from '../../../src/net/password.js'
import { assertNothingForAxe } from '../../support/axe-look.js'
import { Chromium } from '../../support/chromium.js'
import { PHONE } from '../../support/chromium-page.js'
import type { ChromiumPage } from '../../support/chromium-page.js'
import { behind, NAME } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { CHROMIUM, needs } from '../../support/needs.js'

const PASSWORD = 'correct horse 42'
/** Set to a folder, it gets the pictures, for people to look at. */
const PICTURES = process.env['YORI_TEST_PICTURES']

async function household(): Promise<Proxied> {
  return behind((_incoming, response) => response.end('the answer'), {
    mode: 'enforce',
    enforcement: {
      enabled: true,
      consent_accepted: true,
      override_enabled: true,
      override_password_hash: await hashPassword(PASSWORD),
    },
    access: { own_names: ['yori.home.arpa'] },
    policies: {
      files: { bedtime: { action: 'block', params: { start_hour: 0, end_hour: 24 } } },
    },
  })
}

async function pictured(page: ChromiumPage, name: string): Promise<void> {
  if (PICTURES === undefined) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot(join(PICTURES, `${name}.png`), { whole: true })
}

const FITS = 'document.documentElement.scrollWidth <= innerWidth'
/** Relative luminance of WCAG 2.2, of a colour as `rgb(r, g, b)`. */
const CONTRAST = `(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/\\d+/g).slice(0, 3).map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const main = document.querySelector('main')
  const [a, b] = [getComputedStyle(main).color, getComputedStyle(main).backgroundColor].map(light)
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
})()`

describe('the block page in Chromium', () => {
  before(function () {
    needs(this, ...CHROMIUM)
  })

  it('is readable on phone and desktop, dark and light, runs no script and loads nothing', async () => {
    await using setup = await household()
    await using browser = await Chromium.start({
      proxy: setup.yori.url,
      trust: [setup.yori.rootPem],
    })
    for (const [size, view] of [
      ['phone', PHONE],
      ['desktop', {}],
    ] as const) {
      for (const scheme of ['light', 'dark'] as const) {
        const page = await browser.page({ ...view, scheme, javaScript: false })
        assert.equal(await page.navigate(`https://${NAME}/v1/models`), 403)
        const text = await page.text()
        assert.match(text, /Request Blocked by YORI/)
        // The rest is folded away.
        assert.doesNotMatch(text, /Request ID/)
        const whole = 'document.querySelector("main").textContent'
        assert.match(await page.evaluate<string>(whole), /bedtime/)
        assert.match(text, /An adult can allow it/)
        assert.equal(await page.evaluate(FITS), true, 'no sideways scrolling')
        assert.ok((await page.evaluate<number>(CONTRAST)) > 7, `${size} ${scheme}`)
        const style = 'getComputedStyle(document.querySelector("h1")).fontSize'
        assert.notEqual(await page.evaluate(style), '32px', 'its style holds')
        assert.deepEqual(
          page.console.filter((line) => /Content.Security/i.test(line)),
          [],
        )
        const asked = page.requests.filter((url) => !url.endsWith('/favicon.ico'))
        assert.deepEqual(asked, [`https://${NAME}/v1/models`])
        await pictured(page, `block-${size}-${scheme}`)
      }
    }
  })

  it('has no fault that axe finds', async () => {
    await using setup = await household()
    await using browser = await Chromium.start({
      proxy: setup.yori.url,
      trust: [setup.yori.rootPem],
    })
    const page = await browser.page(PHONE)
    assert.equal(await page.navigate(`https://${NAME}/v1/models`), 403)
    await assertNothingForAxe(page)
  })

  it('takes a password, and the next try passes', async () => {
    await using setup = await household()
    await using browser = await Chromium.start({
      proxy: setup.yori.url,
      trust: [setup.yori.rootPem],
    })
    const page = await browser.page(PHONE)
    assert.equal(await page.navigate(`https://${NAME}/v1/models?limit=2`), 403)
    await page.type('#password', 'wrong')
    assert.equal(await page.follow('button'), 401)
    await pictured(page, 'wrong-phone')
    assert.equal(await page.navigate(`https://${NAME}/v1/models?limit=2`), 403)
    await page.type('#password', PASSWORD)
    assert.equal(await page.follow('button'), 200)
    assert.match(await page.text(), /Allowed for a while/)
    await pictured(page, 'allowed-phone')
    assert.equal(await page.follow('main a'), 200)
    assert.equal(await page.text(), 'the answer')
    assert.equal(await page.evaluate('location.search'), '?limit=2')
    const passed = (await setup.yori.rows('audit_events')).at(-1)
    assert.equal(passed?.['bypass'], 'grant')
  })

  it('takes it on our own host in the clear, where browsers do not say where a form comes from', async () => {
    await using setup = await household()
    const { port } = setup.yori
    await using browser = await Chromium.start({
      hostRules: [`MAP yori.home.arpa 127.0.0.1:${port}`],
    })
    const page = await browser.page()
    const url = `http://yori.home.arpa:${port}/v1/models`
    assert.equal(await page.navigate(url), 403)
    await page.type('#password', PASSWORD)
    assert.equal(await page.follow('button'), 200, await page.text())
    assert.equal(await page.follow('main a'), 200)
    assert.equal(await page.text(), 'the answer')
  })

  it('is of no use to a form on another site', async () => {
    await using setup = await household()
    const { port } = setup.yori
    await using browser = await Chromium.start({
      hostRules: [`MAP *.home.arpa 127.0.0.1:${port}`],
    })
    const page = await browser.page()
    await page.navigate(`http://yori.home.arpa:${port}/v1/models`)
    const token = await page.evaluate<string>(
      'document.querySelector("[name=token]").value',
    )
    const form = `<form method=post action="http://yori.home.arpa:${port}/.well-known/yori/override"><input name=token value="${token}"><input name=password value="${PASSWORD}"><button>go</button></form>`
    await page.navigate(`data:text/html,${encodeURIComponent(form)}`)
    assert.equal(await page.follow('button'), 403)
    assert.equal(await page.navigate(`http://yori.home.arpa:${port}/v1/models`), 403)
  })
})
