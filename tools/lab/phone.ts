// Usage: node phone.js ROOTS.pem FOLDER before|after
// What a parent does on a phone that knows only the resolver of DHCP, in a Chromium of a phone's
// size; prints a line of JSON. `before` bedtime: the page by name, its test, a request. `after`:
// a chat that is tunnelled, and the block page. Pictures go into FOLDER.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chromium } from '../../test/support/chromium.js'
import { API, CHAT, PAGE_URL } from './evening-places.js'

const [roots = '', folder = '', when = 'before'] = process.argv.slice(2)

const PHONE = {
  width: 390,
  height: 844,
  mobile: true,
  userAgent:
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Chrome/126.0.0.0 Mobile Safari/537.36',
} as const

const why = (error: unknown): string => (error instanceof Error ? error.message : '')

// `certutil` takes the first of a file.
const trust =
  readFileSync(roots, 'utf8').match(/-----BEGIN[^]*?END CERTIFICATE-----\n/g) ?? []
await using browser = await Chromium.start({ trust })
const page = await browser.page(PHONE)
if (when === 'before') {
  const status = await page.navigate(PAGE_URL)
  await page.screenshot(join(folder, 'trust-page.png'), { whole: true })
  await page.click('button')
  await page.until(
    `document.querySelector('output.good, output.bad, .good, .bad') !== null`,
  )
  const test = await page.evaluate<string>(
    `document.querySelector('output.good, output.bad, .good, .bad').innerText`,
  )
  const request = await page.navigate(`https://${API}/v1/models`)
  console.log(JSON.stringify({ status, test, request }))
} else {
  const chat = await page.navigate(`https://${CHAT}/`).then(String, why)
  const blocked = await page.navigate(`https://${API}/v1/models`)
  await page.until(`document.querySelector('h1') !== null`)
  const text = await page.evaluate<string>('document.body.innerText')
  await page.screenshot(join(folder, 'block-page.png'), { whole: true })
  console.log(JSON.stringify({ chat, blocked, text }))
}
