/** A browser: what it does without our root, and connections that it opens in advance. */
import assert from 'node:assert/strict'
import { systemClock } from '../../../src/core/clock.js'
import { Chromium } from '../../support/chromium.js'
import { ManualClock } from '../../support/manual-clock.js'
import { startOrigin } from '../../support/origins.js'
import { NAME, originCa, until } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'
import { CHROMIUM, needs } from '../../support/needs.js'

const OTHER = 'api.anthropic.com'
const PAGE = `<!doctype html><title>t</title><link rel=preconnect href="https://${OTHER}">`

describe('Chromium', () => {
  before(function () {
    needs(this, ...CHROMIUM)
  })

  it('without the root fails once at most, and its next load passes untouched', async () => {
    await using origin = await startOrigin({
      certificate: originCa.issue({ names: [NAME] }),
    })
    await using yori = await Yori.start({
      origins: { [NAME]: origin },
      trust: [originCa],
      // Time stands still: nothing is tried again meanwhile.
      clock: new ManualClock(systemClock.now()),
    })
    {
      await using browser = await Chromium.start({
        hostRules: [`MAP ${NAME} 127.0.0.1:${yori.port}`],
        trust: [originCa.certificatePem],
      })
      const url = `https://${NAME}/`
      const page = await browser.page()
      // A connection that it opened in advance can have been refused before the load asks.
      const first = await page.navigate(url).catch((error: unknown) => error)
      if (first !== 200) assert.match(String(first), /ERR_CERT_AUTHORITY_INVALID/)
      await until(async () =>
        (await yori.rows('connections')).some(({ coverage }) => coverage === 'failed'),
      )
      assert.equal(await page.navigate(url), 200)
    }
    await until(async () =>
      (await yori.rows('connections')).some(
        (row) => row['coverage'] === 'tunnel-not-trusted',
      ),
    )
  })

  it('opens connections in advance; that it never uses them is no refusal', async () => {
    const clock = new ManualClock(systemClock.now())
    await using origin = await startOrigin({
      certificate: originCa.issue({ names: [NAME, OTHER] }),
      handler: (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
      },
    })
    await using yori = await Yori.start({
      origins: { [NAME]: origin, [OTHER]: origin },
      trust: [originCa],
      clock,
    })
    const { intercepted } = yori.appliance.current.services
    for (let i = 0; i < 3; i++) {
      await using browser = await Chromium.start({
        hostRules: [
          `MAP ${NAME} 127.0.0.1:${yori.port}`,
          `MAP ${OTHER} 127.0.0.1:${yori.port}`,
        ],
        trust: [yori.rootPem],
      })
      const page = await browser.page()
      assert.equal(await page.navigate(`https://${NAME}/`), 200)
      await until(() => intercepted.at(OTHER) > 0)
      await page.evaluate('new Promise((done) => setTimeout(done, 200))')
      clock.advance(3_000)
    }
    await until(() => intercepted.underWay === 0)
    const rows = await yori.rows('connections')
    const other = rows.filter((row) => row['server_name'] === OTHER)
    assert.ok(other.length >= 3)
    assert.deepEqual(
      other.map((row) => [row['coverage'], row['exchanges']]),
      other.map(() => ['inspected', 0]),
    )
  })
})
