/** The pages of the dashboard, in a browser, over a YORI that a household asks through. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { filterIn, fits } from '../../src/dashboard/filter.js'
import {
  CARD,
  Dashboard,
  DESKTOP,
  HOSTILE,
  PASSWORD,
  PIN,
  PHONE,
} from '../support/dashboard.js'
import { CHROMIUM, needs } from '../support/needs.js'
import { until } from '../support/proxied.js'

/** Every page, by its address. */
const PAGES = [
  'today',
  'live',
  'approvals',
  'devices',
  'talks',
  'record',
  'policies',
  'trust',
  'alerts',
  'settings',
]

describe('the dashboard', () => {
  let board: Dashboard
  let page: Page
  const problems: string[] = []
  before(async function () {
    needs(this, ...CHROMIUM)
    board = await Dashboard.start()
    await board.traffic()
    page = await board.admin()
    watch(page)
  })
  after(() => board?.[Symbol.asyncDispose]())
  afterEach(() => assert.deepEqual(problems.splice(0), []))

  const watch = (on: Page): void => {
    on.on('pageerror', (error) => problems.push(error.message))
    on.on('console', (line) => {
      if (line.type() === 'error') problems.push(line.text())
    })
  }
  const open = async (where: string, on = page): Promise<void> => {
    const url = `${board.origin}/#/${where}`
    // An address that is there already is not asked anew.
    if (on.url() === url) await on.reload()
    else await on.goto(url)
    await on.locator('h1').first().waitFor()
    await on.locator('.busy').waitFor({ state: 'detached' })
  }
  const rows = (on = page) => on.locator('tbody tr')

  describe('its door', () => {
    it('gives whoever is not logged in the ways in, with 401, and no data', async () => {
      const answer = await board.on.ask('/', { token: null })
      assert.equal(answer.status, 401)
      assert.match(answer.text, /<script type="module"/)
      const name = /"(\/assets\/app-[\w.]+)"/.exec(answer.text)?.[1] ?? ''
      const packed = await board.on.ask(name, {
        token: null,
        headers: { 'accept-encoding': 'gzip' },
      })
      assert.equal(packed.headers['content-encoding'], 'gzip')
      assert.match(String(packed.headers['cache-control']), /immutable/)
      for (const wrong of ['/assets/nothing.js', '/assets/..%2fpages.json'])
        assert.equal((await board.on.ask(wrong)).status, 404)
      assert.equal((await board.on.ask('/', { token: 'wrong' })).status, 401)
      const german = { 'accept-language': 'de-AT,en;q=0.5' }
      assert.match(
        (await board.on.ask('/', { headers: german })).text,
        /<html lang="de">/,
      )
      assert.equal((await board.on.ask('/live')).headers['location'], '/#/live')
    })

    it('logs a person in, and shows what his role may', async () => {
      const context = await board.context({ locale: 'es-ES' })
      const other = await context.newPage()
      await other.goto('/')
      await other.getByRole('heading', { name: 'Entrar' }).waitFor()
      await other.getByLabel('Nombre').fill('Vic')
      await other.getByRole('textbox', { name: 'Contraseña' }).fill('wrong')
      await other.getByRole('button', { name: 'Entrar' }).click()
      assert.match(await other.getByRole('alert').innerText(), /no coinciden/)
      await other.getByRole('textbox', { name: 'Contraseña' }).fill(PASSWORD)
      await other.getByRole('button', { name: 'Entrar' }).click()
      await other.getByRole('heading', { name: 'Hoy' }).waitFor()
      await open('approvals', other)
      // Vic looks, and does nothing else.
      assert.equal(await other.getByRole('button', { name: 'Denegar' }).count(), 0)
      await other.getByRole('button', { name: 'Salir' }).click()
      await other.getByRole('heading', { name: 'Entrar' }).waitFor()
      assert.equal(await other.locator('nav').count(), 0)
      // By PIN, as on a phone.
      await other.getByLabel('Nombre').fill('Vic')
      await other.getByRole('textbox', { name: 'Contraseña o PIN' }).fill(PIN)
      await other.getByRole('button', { name: 'Entrar' }).click()
      await other.locator('nav').first().waitFor()
      await context.close()
    })
  })

  describe('today', () => {
    it('has four numbers that lead to their rows', async () => {
      await open('today')
      const figures = page.locator('a.figure')
      assert.equal(await figures.count(), 4)
      const numbers = await figures.locator('b').allTextContents()
      assert.deepEqual([numbers[0], numbers[1], numbers[3]], ['8', '3', '1'])
      await figures.nth(3).click()
      await rows().first().waitFor()
      assert.match(page.url(), /#\/record\?.*outcome=block/)
      assert.equal(await rows().count(), 1)
    })

    it('says beside the totals what was seen, and what was lost', async () => {
      await open('today')
      await page.getByText('No row was lost').waitFor()
      const text = await page.locator('main').innerText()
      assert.match(text, /Inspected/)
      assert.match(text, /No row was lost/)
      assert.match(text, /anthropic/)
      // The picture, for who does not see it.
      const table = page.locator('figure table')
      assert.match((await table.textContent()) ?? '', /127\.0\.0\.3/)
    })
  })

  describe('live', () => {
    it('is a link by that name, and shows a row within a second', async () => {
      await open('today')
      await page.getByRole('link', { name: 'Live', exact: true }).click()
      await page.getByText('Following').waitFor()
      await rows().nth(7).waitFor()
      const before = await rows().count()
      await board.say('A new one', { model: 'o4-mini-of-now' })
      await page.getByRole('rowheader', { name: 'o4-mini-of-now' }).waitFor()
      assert.equal(await rows().count(), before + 1)
    })

    it('waits while one reads, and goes on', async () => {
      await page.getByRole('button', { name: 'Pause' }).click()
      await board.say('While it waits', { model: 'held-model' })
      await page.getByText('Paused, new: 1').waitFor()
      assert.equal(await page.getByText('held-model').count(), 0)
      await page.getByRole('button', { name: 'Go on' }).click()
      await page.getByRole('rowheader', { name: 'held-model' }).waitFor()
    })

    it('has its filter in the address, also on what comes', async () => {
      await page.getByLabel('Model').fill('claude')
      await page.getByLabel('Model').press('Enter')
      await page.waitForURL(/#\/live\?model=claude/)
      await page.locator('.busy').waitFor({ state: 'detached' })
      await rows().first().waitFor()
      assert.equal(await rows().count(), 1)
      await board.say('Not for this filter', { model: 'gpt-5-nano' })
      await board.say('For this one', { model: 'claude-like' })
      await page.getByRole('rowheader', { name: 'claude-like' }).waitFor()
      assert.equal(await page.getByText('gpt-5-nano').count(), 0)
    })

    it('fits rows as the record does', async () => {
      const all = async (query: string) => {
        const { body } = await board.on.ask(`/api/exchanges?limit=200&${query}`)
        return (body as { exchanges: Record<string, unknown>[] }).exchanges
      }
      // What is seen live is written a moment later, in order.
      await until(async () => (await all('model=claude-like')).length === 1)
      const rows = await all('')
      for (const query of [
        ...['device=127.0.0.2', 'model=CLAUDE', 'outcome=block', 'policy=privacy'],
        ...['endpoint=anthropic', 'provider=openai', 'text=DINNER', 'text=%3Cimg'],
        ...['session=first-session', 'model=gpt&outcome=response', 'code=x', 'text=nix'],
      ]) {
        const filter = filterIn(new URLSearchParams(query))
        const here = rows.filter((row) => fits(row, filter))
        const ids = (list: readonly Record<string, unknown>[]) =>
          list.map((row) => row['request_id'])
        assert.deepEqual(ids(here), ids(await all(query)), query)
      }
    })
  })

  describe('one exchange', () => {
    const openExchange = async (words: string): Promise<void> => {
      await open('live')
      await rows().filter({ hasText: words }).last().getByRole('link').first().click()
      await page.getByRole('heading', { name: 'Facts' }).waitFor()
      await page.locator('.busy').waitFor({ state: 'detached' })
    }

    it('shows what others wrote as text', async () => {
      await openExchange('<img src=x')
      assert.ok((await page.locator('.turn.user').innerText()).includes(HOSTILE))
      assert.equal(await page.locator('main img').count(), 0)
      assert.match(await page.title(), /^Exchange/)
    })

    it('says what a turn adds to the one before', async () => {
      await openExchange('And a whale?')
      await page.getByText('3 messages as before, 2 new').waitFor()
      assert.match(await page.locator('.turn.new').first().innerText(), /And a whale\?/)
      await page.getByRole('link', { name: 'The turn before' }).click()
      await page.locator('.turn.user', { hasText: 'How tall is a giraffe?' }).waitFor()
    })

    it('says who filled the conversation', async () => {
      await openExchange('And a whale?')
      const card = page.locator('section.card', {
        has: page.getByRole('heading', { name: 'What fills the conversation' }),
      })
      // As the agent of the household sends them.
      const asked = 'How tall is a giraffe?And a whale?'.length
      const told = 'You mend bicycles and say so.'.length
      const text = await card.innerText()
      assert.match(text, new RegExp(`Asked\\s+${asked} ·`))
      assert.match(text, new RegExp(`Instructions\\s+${told} ·`))
    })

    it('is copied as a command and saved as HAR', async () => {
      await openExchange('How tall is a giraffe?')
      await page.getByRole('button', { name: 'Copy as curl' }).click()
      const text = await page.locator('textarea').inputValue()
      assert.match(text, /curl 'https:\/\/api\.openai\.com\/v1\/chat\/completions'/)
      assert.doesNotMatch(text, /simulated-key/)
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Save as HAR' }).click(),
      ])
      assert.match(download.suggestedFilename(), /^yori-[\w-]+\.har$/)
    })

    it('leads on under the filter of the list', async () => {
      await open('live?device=127.0.0.2')
      await rows().first().waitFor()
      const count = await rows().count()
      assert.ok(count >= 2)
      await rows().first().getByRole('link').first().click()
      await page.getByRole('heading', { name: 'Facts' }).waitFor()
      for (let step = 1; step < count; step++) {
        const before = page.url()
        await page.getByRole('link', { name: 'Older' }).click()
        await page.waitForURL((url) => url.href !== before)
        assert.match(page.url(), /device=127\.0\.0\.2/)
        assert.match(await page.locator('dl.facts').innerText(), /127\.0\.0\.2/)
      }
      await page.getByRole('button', { name: 'Older' }).waitFor()
      await page.getByRole('link', { name: 'List' }).click()
      assert.equal(await page.getByLabel('Device').inputValue(), '127.0.0.2')
    })
  })

  describe('approvals', () => {
    it('say what was found; a yes lets it pass, and is taken back', async () => {
      await open('approvals')
      const ask = page.locator('article', { hasText: CARD })
      assert.match(await ask.innerText(), /privacy/)
      await ask.getByRole('button', { name: 'This, 30 minutes' }).click()
      await page.getByText('Approved: it passes').waitFor()
      await board.say(CARD, { from: '127.0.0.3' })
      await assert.rejects(board.say('And 5500 0000 0000 0004', { from: '127.0.0.3' }))
      await page.getByRole('button', { name: 'Take back' }).click()
      await page.getByText('Taken back').waitFor()
      await assert.rejects(board.say(CARD, { from: '127.0.0.3' }))
    })

    it('let all of one policy pass for 30 minutes', async () => {
      await open('approvals')
      const ask = page.locator('article', { hasText: '5500' }).first()
      await ask.getByRole('button', { name: 'All of this policy, 30 minutes' }).click()
      await page.getByText('Approved: it passes').waitFor()
      await board.say('Other: 4012 8888 8888 1881', { from: '127.0.0.3' })
    })
  })

  describe('alerts', () => {
    it('say what happened, and that somebody has seen it', async () => {
      await open('alerts')
      const alert = page.locator('article', { hasText: 'privacy' }).first()
      await alert.getByRole('button', { name: 'Seen' }).click()
      await page.getByText('Noted: somebody knows of it.').waitFor()
      await page.locator('article .tag', { hasText: 'seen' }).first().waitFor()
      assert.match(await page.locator('main').innerText(), /alerts\.sinks/)
    })
  })

  describe('devices', () => {
    it('are paused, which blocks at once, and let go again', async () => {
      await open('devices')
      const device = page.getByRole('article', { name: '127.0.0.2', exact: true })
      await board.say('Before the pause', { from: '127.0.0.2' })
      await device.getByRole('button', { name: 'Pause' }).click()
      await device.getByText('paused until').waitFor()
      await assert.rejects(board.say('While paused', { from: '127.0.0.2' }))
      await board.say('Another device', { from: '127.0.0.1' })
      await device.getByRole('button', { name: 'End the pause' }).click()
      await device.getByRole('button', { name: 'Allow' }).waitFor()
      await board.say('After the pause', { from: '127.0.0.2' })
    })

    it('have the names that the household gives, as text', async () => {
      await open('devices')
      const device = page.getByRole('article', { name: '127.0.0.2', exact: true })
      await device.getByRole('button', { name: 'Name it' }).click()
      await device.getByLabel('Name', { exact: true }).fill('<b>Mia</b>')
      await device.getByRole('button', { name: 'Save' }).click()
      await page.getByRole('article', { name: '<b>Mia</b>' }).waitFor()
      assert.equal(await page.locator('main b', { hasText: 'Mia' }).count(), 0)
    })
  })

  describe('policies and settings', () => {
    it('switch a policy off, which passes, and on again, which blocks', async () => {
      const secret = 'My other card is 5105 1051 0510 5100'
      await assert.rejects(board.say(secret, { from: '127.0.0.1' }))
      await open('policies')
      const toggle = page.getByRole('switch', { name: 'privacy' })
      assert.equal(await toggle.getAttribute('aria-checked'), 'true')
      await toggle.click()
      await page.getByText('It is in force.').waitFor()
      await board.say(secret, { from: '127.0.0.1' })
      await toggle.click()
      await page.locator('[role=switch][aria-label=privacy][aria-checked=true]').waitFor()
      await assert.rejects(board.say(secret, { from: '127.0.0.1' }))
    })

    it('ask for consent before anything may block', async () => {
      await board.on.ask('/api/settings', {
        method: 'PUT',
        body: {
          changes: {
            mode: 'observe',
            'enforcement.consent_accepted': false,
            'enforcement.enabled': false,
          },
        },
      })
      await open('policies')
      const policy = page.getByRole('region', { name: 'privacy' })
      await policy.getByText('It blocks nothing now').waitFor()
      await policy.getByRole('switch').click()
      await page
        .locator('[role=switch][aria-label=privacy][aria-checked=false]')
        .waitFor()
      await policy.getByRole('switch').click()
      await policy.getByText('YORI fails open').waitFor()
      await policy.getByRole('button', { name: 'I consent' }).click()
      await page.getByText('It is in force.').waitFor()
      const { body } = await board.on.ask('/api/policies')
      assert.equal((body as { mode: string }).mode, 'enforce')
      await assert.rejects(board.say(CARD, { from: '127.0.0.1' }))
    })

    it('show an error at its field, change nothing then, and go back', async () => {
      await open('settings')
      await page.locator('summary', { hasText: /^audit/ }).click()
      const field = page.getByLabel('retention_days')
      const before = await field.inputValue()
      await field.fill('-3')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.locator('#s-audit-retention_days[aria-invalid=true]').waitFor()
      problems.splice(0)
      await field.fill('12')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('It is in force.').waitFor()
      const days = () => board.on.yori.appliance.current.config.audit.retention_days
      assert.equal(days(), 12)
      await page.getByRole('button', { name: 'Take this again' }).first().click()
      await page.waitForResponse((answer) => answer.url().endsWith('/api/settings'))
      assert.equal(String(days()), before)
    })
  })

  describe('every page', () => {
    /** What another size or colour can change. */
    const LOOKS = ['color-contrast', 'scrollable-region-focusable', 'target-size']

    for (const where of PAGES)
      it(`${where}: has nothing that axe finds, and nothing too wide`, async () => {
        await open(where)
        assert.deepEqual(await board.findings(page), [])
        for (const [size, colorScheme] of [
          [DESKTOP, 'dark'],
          [PHONE, 'dark'],
          [PHONE, 'light'],
          [DESKTOP, 'light'],
        ] as const) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize(size)
          const wide = await page.evaluate<number>(
            'document.documentElement.scrollWidth - innerWidth',
          )
          assert.ok(wide <= 0, `${size.width}: ${wide} pixels too wide`)
          assert.deepEqual(await board.findings(page, LOOKS), [], colorScheme)
        }
      })
  })
})
