/** The first page of the control plane, in a browser that opened a link of `yori dashboard`. */
import assert from 'node:assert/strict'
import { closed } from '../audit/support.js'
import { Chromium } from '../support/chromium.js'
import { Controlled } from '../support/control.js'
import { CHROMIUM, needs } from '../support/needs.js'

const HOSTILE = '<img src=x onerror="document.title=1">&"\'</td>'

describe('the first page', () => {
  let on: Controlled
  before(async () => {
    on = await Controlled.start()
    const { audit } = on.yori.appliance
    const now = Date.now()
    const rows = [
      { promptPreview: HOSTILE, model: HOSTILE, device: { ip: '192.168.1.7' } },
      { promptPreview: 'how tall is a giraffe', model: 'gpt-4o-mini' },
      {
        promptPreview: 'my card',
        outcome: 'block' as const,
        decision: { kind: 'block' as const, policy: 'privacy', reason: 'a card' },
      },
    ]
    for (const [n, fields] of rows.entries()) {
      const at = { requestId: `r-${n}`, startedAt: now - 60_000 + n * 1_000, call: true }
      const record = closed({ ...at, inputTokens: 30, outputTokens: 12, ...fields })
      audit.exchangeOpened(record)
      audit.exchangeClosed(record)
    }
    await audit.flush()
  })
  after(() => on[Symbol.asyncDispose]())

  const link = async (): Promise<string> => {
    const { body } = await on.ask('/api/login-links', { method: 'POST' })
    return (body as { url: string }).url
  }

  it('is for who has logged in alone; its looks are open', async () => {
    assert.equal((await on.ask('/', { token: null })).status, 401)
    const style = await on.ask('/home.css', { token: null })
    assert.deepEqual(
      [style.status, style.headers['content-type']],
      [200, 'text/css; charset=utf-8'],
    )
    const foreign = await on.ask('/', { headers: { host: 'evil.example' } })
    assert.ok(foreign.status >= 400 && !foreign.text.includes('giraffe'))
  })

  it('shows the last day and the newest, and what others wrote as text', async function () {
    needs(this, ...CHROMIUM)
    await using browser = await Chromium.start()
    const page = await browser.page({ width: 390, height: 844 })
    assert.equal(await page.navigate(await link()), 200)
    assert.equal(await page.evaluate('location.pathname'), '/')
    assert.equal(await page.evaluate('document.title'), 'YORI')
    const text = await page.evaluate<string>('document.body.innerText')
    assert.match(text, /YORI is healthy, mode observe/)
    assert.match(text, /3\s*calls of models/)
    assert.match(text, /126\s*tokens/)
    assert.match(text, /1\s*blocked/)
    assert.match(text, /how tall is a giraffe/)
    assert.ok(text.includes(HOSTILE), text)
    assert.equal(await page.evaluate('document.images.length'), 0)
    assert.equal(await page.evaluate('document.querySelectorAll("tbody tr").length'), 3)
    // The style has come, and nothing is wider than the phone.
    assert.equal(
      await page.evaluate('getComputedStyle(document.querySelector("ul")).display'),
      'flex',
    )
    assert.equal(await page.evaluate('document.body.scrollWidth <= innerWidth'), true)
  })
})
