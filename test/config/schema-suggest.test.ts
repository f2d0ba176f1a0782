import assert from 'node:assert/strict'
import { nearest } from '../../config/schema-suggest.js'

describe('the nearest word', () => {
  for (const [word, candidates, expected] of [
    ['dsn', ['log', 'dns'], 'dns'], // two letters swapped are one edit
    ['enfroce', ['observe', 'advisory', 'enforce'], 'enforce'],
    ['prune-at', ['prune_at'], 'prune_at'],
    ['retentionDays', ['retention_days'], 'retention_days'],
    ['retention', ['level', 'retention_days'], 'retention_days'],
    ['connect', ['connections', 'connect'], 'connect'],
    ['ca', ['log'], undefined],
    ['x', ['ca', 'y'], undefined],
    ['moonlight', ['level', 'exchanges'], undefined],
    ['a'.repeat(100_000), ['a'.repeat(64)], undefined],
  ] as const) {
    it(`of ${word.slice(0, 20)} is ${expected ?? 'none'}`, () => {
      assert.equal(nearest(word, candidates), expected)
    })
  }
})
