import assert from 'node:assert/strict'
import {
  markOf,
  marksIn,
  MAX_MARKS,
  textWithout,
  withoutApproved,
} from '../../../src/proxy/judging/content-marks.js'

const mark = markOf(Buffer.alloc(32, 7))
const CARD = '4111 1111 1111 1111'
const said = (...contents: string[]) => ({
  model: 'gpt-4o',
  messages: contents.map((content) => ({ role: 'user', content })),
})
const approvedOf = (body: unknown): ReadonlySet<string> =>
  new Set(marksIn(body, '', mark))

describe('marks of what was refused', () => {
  it('take the same words out of a later turn, and leave what is new', () => {
    const approved = approvedOf(said('my card is ' + CARD))
    const later = said('my card is ' + CARD, 'and now something else')
    assert.deepEqual(
      withoutApproved(later, approved, mark),
      said('', 'and now something else'),
    )
  })

  it('know personal data again in other words and other grouping, and no other of its kind', () => {
    const approved = approvedOf(said('my card is ' + CARD))
    assert.equal(
      textWithout('title for: 4111-1111-1111-1111!', approved, mark),
      'title for: !',
    )
    const other = 'title for: 5555 5555 5555 4444'
    assert.equal(textWithout(other, approved, mark), other)
  })

  it('are independent of the model, and leave the words of the protocol in place', () => {
    const approved = approvedOf(said('user'))
    const other = { ...said('user'), model: 'o3' }
    assert.deepEqual(withoutApproved(other, approved, mark), {
      ...said(''),
      model: 'o3',
    })
  })

  it('give the same body back when nothing of it was approved', () => {
    const body = said('something new')
    assert.equal(withoutApproved(body, approvedOf(said('old')), mark), body)
  })

  it('are of the newest texts where there are many, and cannot be read back', () => {
    const many = said(...Array.from({ length: 2000 }, (_, n) => `text number ${n}`))
    const marks = marksIn(many, '', mark)
    assert.equal(marks.length, MAX_MARKS)
    assert.ok(marks.includes(mark('text number 1999')))
    assert.ok(!marks.includes(mark('text number 0')))
    assert.notEqual(mark(CARD), markOf(Buffer.alloc(32, 8))(CARD))
  })

  it('are of the prompt where the body is no JSON', () => {
    assert.deepEqual(marksIn(undefined, 'plain words', mark), [mark('plain words')])
  })
})
