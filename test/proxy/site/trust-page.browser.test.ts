/** The trust page as people meet it: in a browser, on a phone and a desktop. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import jsQR from 'jsqr'
import { stageNewRoot } from '../../../ca/manage.js'
import { caSettingsOf } from '../../../src/assembly/from-config/ca.js'
import { systemClock } from '../../../src/core/clock.js'
import { qrCode } from '../../../src/proxy/site/qr-code.js'
import { assertNothingForAxe } from '../../support/axe-look.js'
import { Chromium } from '../../support/chromium.js'
import { PHONE } from '../../support/chromium-page.js'
import type { ChromiumPage, View } from '../../support/chromium-page.js'
import { startOrigin } from '../../support/origins.js'
import { behind, NAME, until } from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import type { Yori } from '../../support/yori.js'
import { CHROMIUM, needs } from '../../support/needs.js'

/** Set to a folder, it gets the pictures, for people to look at. */
const PICTURES = process.env['YORI_TEST_PICTURES']
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1'

const RESULT = 'form[action="/trust/again"] [role=status]'
const BUTTON = 'form[action="/trust/again"] button'
const NEXT_RESULT = 'form[action="/trust/again?root=next"] [role=status]'
const NEXT_BUTTON = 'form[action="/trust/again?root=next"] button'

/** A browser for which the provider's name leads to YORI, as a DNS override would. */
function browserFor(yori: Yori, trust: readonly string[]): Promise<Chromium> {
  return Chromium.start({ trust, hostRules: [`MAP ${NAME} 127.0.0.1:${yori.port}`] })
}

async function opened(
  browser: Chromium,
  yori: Yori,
  view: View = {},
): Promise<ChromiumPage> {
  const page = await browser.page(view)
  assert.equal(await page.navigate(`${yori.url}/`), 200)
  return page
}

async function tested(
  page: ChromiumPage,
  button: string,
  result: string,
): Promise<string> {
  await page.click(button)
  await page.until(`/^(good|bad)$/.test(document.querySelector('${result}').className)`)
  return page.text(result)
}

async function pictured(page: ChromiumPage, name: string): Promise<void> {
  if (PICTURES === undefined) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot(join(PICTURES, `${name}.png`), { whole: true })
}

function provider(): Promise<Proxied> {
  return behind((_request, response) => void response.writeHead(404).end('provider'))
}

describe('the trust page in a browser', () => {
  before(function () {
    needs(this, ...CHROMIUM)
  })

  it('shows by its test that a browser which has the root trusts YORI', async () => {
    await using setup = await provider()
    const { yori } = setup
    await using browser = await browserFor(yori, [yori.rootPem])
    const page = await opened(browser, yori)

    assert.match(await tested(page, BUTTON, RESULT), /^It works/)
    assert.match(await tested(page, BUTTON, RESULT), /^It works/)
    assert.deepEqual(page.console, [])
    assert.equal(setup.origin.accepted, 0)
    const [entry] = yori.appliance.trust.entries()
    assert.equal(entry?.root, yori.appliance.current.authority.rootFingerprint)
    assert.equal(entry.trustedName, NAME)
  })

  it('says to a browser without the root that it does not trust YORI, each time anew', async () => {
    await using setup = await provider()
    const { yori } = setup
    await using browser = await browserFor(yori, [])
    const page = await opened(browser, yori)

    assert.match(await tested(page, BUTTON, RESULT), /does not trust its certificate/)
    // The first refusal taught YORI to leave this device alone; the test goes on meaning it.
    assert.match(await tested(page, BUTTON, RESULT), /does not trust its certificate/)
    assert.equal(setup.origin.accepted, 0)
    const [entry] = yori.appliance.trust.entries()
    assert.ok(entry?.refusedCause !== undefined && entry.trustedAt === undefined)
  })

  it('leads a browser through YORI by /proxy.pac, and nothing else', async () => {
    await using setup = await provider()
    await using other = await startOrigin()
    const { yori } = setup
    await using browser = await Chromium.start({
      trust: [yori.rootPem],
      proxyPac: `${yori.url}/proxy.pac`,
      hostRules: [`MAP elsewhere.test ${other.address}`],
    })
    const page = await opened(browser, yori)
    assert.match(await tested(page, BUTTON, RESULT), /^It works/)
    const elsewhere = await browser.page()
    assert.equal(await elsewhere.navigate('http://elsewhere.test/'), 200)
    assert.equal(await elsewhere.text(), 'ok')
    await yori.closeClients()
    const rows = await yori.rows('connections')
    assert.deepEqual(
      rows.filter(({ server_name: name }) => name !== NAME),
      [],
    )
  })

  it('says so when nothing leads the device through YORI', async () => {
    await using setup = await provider()
    const { yori, origin } = setup
    await using browser = await Chromium.start({
      trust: [yori.rootPem],
      hostRules: [`MAP ${NAME} ${origin.address}`],
    })
    const page = await opened(browser, yori)
    assert.match(await tested(page, BUTTON, RESULT), /^YORI saw no connection/)
  })

  it('is whole without JavaScript: the test opens a page of its own', async () => {
    await using setup = await provider()
    const { yori } = setup
    await using browser = await browserFor(yori, [yori.rootPem])
    const page = await opened(browser, yori, { javaScript: false })
    assert.equal(await page.follow(BUTTON), 200)
    assert.match(await page.text(), /It works[^]*api\.openai\.com/)
  })

  it('tests a staged root by a chain that leads to it alone', async () => {
    await using setup = await provider()
    const { yori } = setup
    const { authority, config } = yori.appliance.current
    const settings = { ...caSettingsOf(config), clock: systemClock }
    const staged = (await stageNewRoot(settings)).next?.pem ?? ''
    await until(async () => {
      await authority.reread()
      return authority.staged !== undefined
    })
    {
      await using browser = await browserFor(yori, [yori.rootPem])
      const page = await opened(browser, yori)
      assert.match(await tested(page, NEXT_BUTTON, NEXT_RESULT), /does not trust/)
      assert.match(await tested(page, BUTTON, RESULT), /^It works/)
    }
    await using browser = await browserFor(yori, [yori.rootPem, staged])
    const page = await opened(browser, yori)
    assert.match(await tested(page, NEXT_BUTTON, NEXT_RESULT), /^It works/)
    assert.match(await tested(page, BUTTON, RESULT), /^It works/)
  })

  it('fits a phone and a desktop, light and dark, and loads nothing from elsewhere', async () => {
    await using setup = await provider()
    const { yori } = setup
    await using browser = await browserFor(yori, [yori.rootPem])
    const page = await opened(browser, yori, PHONE)
    const colour = 'getComputedStyle(document.body).backgroundColor'
    for (const view of [PHONE, { width: 320, height: 640, mobile: true }, {}]) {
      await page.look(view)
      const wide = 'document.documentElement.scrollWidth <= innerWidth'
      assert.ok(await page.evaluate(wide), JSON.stringify(view))
    }
    const light = await page.evaluate(colour)
    await page.look({ scheme: 'dark' })
    assert.notEqual(await page.evaluate(colour), light)
    assert.deepEqual(
      page.requests.filter((url) => !url.startsWith(yori.url)),
      [],
    )
    assert.deepEqual(page.console, [])
  })

  it('carries a QR code that a reader of QR codes understands', async () => {
    await using browser = await Chromium.start()
    const page = await browser.page()
    for (const url of ['http://192.168.1.1:8443/', 'http://[fd12:3456:789a::1]:8443/']) {
      const svg = JSON.stringify(qrCode(url, 'for a test'))
      const pixels = await page.evaluate<{ size: number; data: number[] }>(`
        new Promise((resolve) => {
          const picture = new Image()
          picture.onload = () => {
            const canvas = document.createElement('canvas')
            const size = (canvas.width = canvas.height = 300)
            const drawing = canvas.getContext('2d')
            drawing.drawImage(picture, 0, 0, size, size)
            resolve({ size, data: [...drawing.getImageData(0, 0, size, size).data] })
          }
          picture.src = 'data:image/svg+xml,' + encodeURIComponent(${svg})
        })`)
      const { size, data } = pixels
      assert.equal(jsQR.default(Uint8ClampedArray.from(data), size, size)?.data, url)
    }
  })

  it('has no fault that axe finds and fits a phone, in each language', async () => {
    await using setup = await behind(() => undefined, { listen: '0.0.0.0:0' })
    const { yori } = setup
    await using browser = await browserFor(yori, [yori.rootPem])
    for (const [language, title, works] of [
      ['en', 'Trust YORI on this device', /^It works/],
      ['de-AT,de;q=0.9', 'YORI auf diesem Gerät vertrauen', /^Es klappt/],
      ['es', 'Confiar en YORI en este dispositivo', /^Funciona/],
      ['fr-CA', 'Faire confiance à YORI sur cet appareil', /^Cela marche/],
    ] as const) {
      const page = await opened(browser, yori, { ...PHONE, userAgent: IPHONE, language })
      assert.equal(await page.text('h1'), title)
      const lang = await page.evaluate<string>('document.documentElement.lang')
      assert.equal(lang, language.slice(0, 2))
      assert.match(await tested(page, BUTTON, RESULT), works)
      for (const scheme of ['light', 'dark'] as const) {
        await page.look({ ...PHONE, scheme })
        await pictured(page, `trust-${lang}-${scheme}`)
      }
      await assertNothingForAxe(page)
      await page.look({ width: 320, height: 640, mobile: true })
      const wide = 'document.documentElement.scrollWidth <= innerWidth'
      assert.ok(await page.evaluate(wide), language)
    }
  })

  it('tells in the language of the reader what YORI saw', async () => {
    await using setup = await provider()
    const { yori } = setup
    await using browser = await browserFor(yori, [])
    const page = await opened(browser, yori, { language: 'de' })
    const says = await tested(page, BUTTON, RESULT)
    assert.match(says, /^Dieses Gerät geht über YORI und vertraut seinem Zertifikat noch/)
  })

  it('is in the language of the reader without JavaScript, too', async () => {
    await using setup = await provider()
    const { yori } = setup
    await using browser = await browserFor(yori, [yori.rootPem])
    const view = { javaScript: false, language: 'es' }
    const page = await opened(browser, yori, view)
    assert.equal(await page.follow(BUTTON), 200)
    assert.match(await page.text(), /Funciona[^]*api\.openai\.com/)
  })
})
