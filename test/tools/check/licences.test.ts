import assert from 'node:assert/strict'
import {
  checkLicences,
  installedPackages,
  permits,
} from '../../../tools/check/licences.js'

describe('tools/check/licences', () => {
  const allowed = new Set(['MIT', 'ISC'])
  const table: readonly (readonly [string, boolean])[] = [
    ['MIT', true],
    ['GPL-3.0', false],
    ['', false],
    ['(MIT OR GPL-3.0)', true],
    ['GPL-3.0 OR MIT', true],
    ['MIT AND GPL-3.0', false],
    ['MIT AND ISC', true],
    ['GPL-3.0 OR MIT AND ISC', true],
    ['(GPL-3.0 OR MIT) AND LGPL-2.1', false],
    ['(MIT', false],
    ['MIT)', false],
    ['MIT WITH some-exception', false],
    ['SEE LICENSE IN LICENSE.txt', false],
  ]
  for (const [expression, expected] of table) {
    it(`${expected ? 'takes' : 'refuses'} "${expression}"`, () => {
      assert.equal(permits(expression, allowed), expected)
    })
  }

  it('refuses a licence, and holds what ships to the shorter list', () => {
    const found = checkLicences([
      { name: 'a', version: '1.0.0', licence: 'AGPL-3.0-only', production: false },
      { name: 'b', version: '1.0.0', licence: 'Unlicense', production: true },
      { name: 'c', version: '1.0.0', licence: 'Unlicense', production: false },
      { name: 'lru-cache', version: '1.0.0', licence: 'GPL-3.0', production: true },
    ])
    assert.deepEqual(
      found.map(({ where }) => where),
      ['a@1.0.0', 'b@1.0.0', 'lru-cache@1.0.0'],
    )
  })

  it('sees the packages of this project, those that ship among them', () => {
    const packages = installedPackages()
    // Of one name there may be several: a test's library brings another undici along.
    const of = (name: string): boolean[] =>
      packages.filter((each) => each.name === name).map(({ production }) => production)
    assert.ok(of('undici').includes(true))
    assert.ok(!of('typescript').includes(true))
  })
})
