/** What axe finds wrong with a page, each with the markup that it is about. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PHONE } from './chromium-page.js'
import type { ChromiumPage, View } from './chromium-page.js'

const VIEWS: readonly View[] = [PHONE, { ...PHONE, scheme: 'dark' }, {}]

/** On a phone, light and dark, and on a desktop, with everything unfolded. */
export async function assertNothingForAxe(page: ChromiumPage): Promise<void> {
  const { resolve } = createRequire(import.meta.url)
  const axe = await readFile(resolve('axe-core/axe.min.js'), 'utf8')
  await page.evaluate(
    `document.querySelectorAll('details').forEach((one) => { one.open = true })`,
  )
  await page.evaluate(`${axe};0`)
  for (const view of VIEWS) {
    await page.look(view)
    const { violations, passes } = await page.evaluate<{
      violations: unknown[]
      passes: number
    }>(`axe.run(document).then(({ violations, passes }) => ({
      passes: passes.length,
      violations: violations.map(({ id, impact, nodes }) =>
        [id, impact, ...nodes.map(({ html }) => html.slice(0, 200))]),
    }))`)
    assert.ok(passes > 10, `axe looked at ${passes} rules`)
    assert.deepEqual(violations, [], JSON.stringify(view))
  }
}
