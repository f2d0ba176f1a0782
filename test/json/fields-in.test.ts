import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { fieldsIn } from '../../src/json/fields-in.js'

const count = (text: string): number => atOnce(fieldsIn(JSON.parse(text)))

describe('the fields of a value', () => {
  it('are as many as its JSON has keys', () => {
    assert.equal(count('{"a":{"b":[{"c":1},{"c":[]}]},"d":null}'), 5)
    assert.equal(count('[[],"a",1,[{"b":{}}]]'), 1)
    assert.equal(count('"a"'), 0)
  })

  it('are less where a key stands twice, wherever that is', () => {
    assert.equal(count('{"tools":[{"name":"a","name":"b"}]}'), 2)
    assert.equal(count('{"a":{"b":1,"c":2},"a":3}'), 1)
  })

  it('are counted at any depth', () => {
    assert.equal(count(`${'{"a":['.repeat(2000)}${']}'.repeat(2000)}`), 2000)
  })
})
