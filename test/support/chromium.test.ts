import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Chromium } from './chromium.js'
import { PHONE } from './chromium-page.js'
import { startOrigin } from './origins.js'
import { tempFolder } from './temp-folder.js'
import { TestCa } from './test-ca.js'
import { CHROMIUM, needs } from './needs.js'

const PAGE = `<!doctype html><meta name=viewport content="width=device-width"><title>t</title>
<style>body{background:#fff} @media (prefers-color-scheme:dark){body{background:#000}}</style>
<form action="/next"><input name=word><button>Go</button></form>`

const html = { 'content-type': 'text/html' }

describe('the Chromium of the tests', () => {
  before(function () {
    needs(this, ...CHROMIUM)
  })

  it('types, clicks, evaluates and takes pictures of the size and colours asked for', async () => {
    await using folder = await tempFolder()
    await using origin = await startOrigin({
      handler: (request, response) => {
        const next = request.url?.startsWith('/next') === true
        response.writeHead(next ? 403 : 200, html).end(next ? request.url : PAGE)
      },
    })
    await using browser = await Chromium.start()
    const page = await browser.page({ ...PHONE, scheme: 'dark' })

    assert.equal(await page.navigate(`http://${origin.address}/`), 200)
    assert.equal(await page.evaluate('innerWidth'), 390)
    const colour = 'getComputedStyle(document.body).backgroundColor'
    assert.equal(await page.evaluate(colour), 'rgb(0, 0, 0)')
    await page.look({ width: 800, height: 600 })
    assert.equal(await page.evaluate(colour), 'rgb(255, 255, 255)')
    const picture = folder.file('page.png')
    await page.screenshot(picture)
    const png = await readFile(picture)
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [800, 600]) // IHDR

    await page.type('input', 'hello')
    assert.equal(await page.follow('button'), 403)
    assert.equal(await page.text(), '/next?word=hello')
  })

  it('trusts the roots that it is given and no others, each with a home of its own', async () => {
    const ca = new TestCa()
    await using origin = await startOrigin({
      certificate: ca.issue({ names: ['site.test'] }),
    })
    const hostRules = [`MAP site.test ${origin.address}`]
    const url = 'https://site.test/'
    {
      await using browser = await Chromium.start({
        hostRules,
        trust: [ca.certificatePem],
      })
      assert.equal(await (await browser.page()).navigate(url), 200)
    }
    await using other = await Chromium.start({ hostRules })
    const page = await other.page()
    await assert.rejects(page.navigate(url), /ERR_CERT_AUTHORITY_INVALID/)
  })

  it('ends its processes and removes its folder', async () => {
    let home = ''
    {
      await using browser = await Chromium.start()
      home = browser.home
      assert.ok(existsSync(home))
    }
    assert.ok(!existsSync(home))
  })
})
