import assert from 'node:assert/strict'
import { askFilter } from '../../pf/apply.js'
import { tempFolder } from '../support/temp-folder.js'

describe('A machine without its packet filter', () => {
  for (const [backend, says] of [
    ['nft-tproxy', /no program nft .*apt-get install nftables/],
    ['pf', /no program pfctl /],
  ] as const)
    it(`is told what ${backend} needs`, async () => {
      await using empty = await tempFolder()
      const path = process.env['PATH']
      process.env['PATH'] = empty.path
      try {
        const asked = askFilter(backend, '')
        assert.ok(asked.kind === 'not-asked', asked.kind)
        assert.match(asked.why, says)
      } finally {
        process.env['PATH'] = path
      }
    })
})
