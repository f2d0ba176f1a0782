import assert from 'node:assert/strict'
import { loadRules } from '../../config/read-detect.js'
import { madeRows } from '../../tools/cases/made-ids.js'

const loaded = loadRules()
assert.ok(loaded.kind === 'ok')
const { detector } = loaded

describe('personal data that is made up by the rules of its issuers', () => {
  const counts = new Map<
    string,
    { good: number; found: number; near: number; wrong: number }
  >()
  for (const { text, entities, expected_matches: expected } of madeRows()) {
    const [entity = ''] = entities
    const all = counts.get(entity) ?? { good: 0, found: 0, near: 0, wrong: 0 }
    counts.set(entity, all)
    const isFound = detector.find(text).some(({ kind }) => kind === entity)
    if (expected > 0) {
      all.good++
      if (isFound) all.found++
    } else {
      all.near++
      if (isFound) all.wrong++
    }
  }

  for (const [entity, { good, found, near, wrong }] of counts)
    it(`is found as ${entity}, and its near misses are not`, () => {
      assert.ok(good + near >= 40)
      assert.ok(found / good >= 0.9, `recall ${found} of ${good}`)
      assert.ok(wrong / near <= 0.05, `false ${wrong} of ${near}`)
    })
})
