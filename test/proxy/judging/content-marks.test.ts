import assert from 'node:assert/strict'
import { atOnce } from '../../../src/core/resting.js'
import { BodyTextReader } from '../../../src/providers/body-text.js'
import {
  isPassage,
  markedOf,
  markOf,
  MAX_TEXTS,
} from '../../../src/proxy/judging/content-marks.js'
import type { SaidText } from '../../../src/proxy/judging/content-marks.js'
import { saidOf } from '../../../src/proxy/reading/said.js'

const mark = markOf(Buffer.alloc(32, 7))
const CARD = '4111 1111 1111 1111'
const said = (...contents: string[]) => ({
  model: 'gpt-4o',
  messages: contents.map((content) => ({ role: 'user', content })),
})
const marked = (body: unknown, prompt = '') => markedOf({ body, prompt }, mark)
const approvedOf = async (body: unknown): Promise<ReadonlySet<string>> =>
  new Set((await marked(body)).marks)
const without = async (body: unknown, approved: ReadonlySet<string>): Promise<unknown> =>
  (await (await marked(body)).without(approved))?.body
const textOf = async (body: unknown): Promise<SaidText> => {
  const words = new BodyTextReader()
  atOnce(words.read(body))
  return { body, prompt: '', said: atOnce(saidOf(words.end().units)) }
}

describe('marks of what was refused', () => {
  it('take the same words out of a later turn, and leave what is new', async () => {
    const approved = await approvedOf(said('my card is ' + CARD))
    const later = said('my card is ' + CARD, 'and now something else')
    assert.deepEqual(await without(later, approved), said('', 'and now something else'))
  })

  it('know personal data again in other words and other grouping, and no other of its kind', async () => {
    const approved = await approvedOf(said('my card is ' + CARD))
    const quoted = said('title for: 4111-1111-1111-1111!')
    assert.deepEqual(await without(quoted, approved), said('title for: !'))
    assert.equal(await without(said('for 5555 5555 5555 4444'), approved), undefined)
  })

  it('are found wherever they stand in a long text, and in one that a piece of it ends in', async () => {
    const approved = await approvedOf(said('my card is ' + CARD))
    for (const before of [0, 8180, 8192 - 256, 100_000]) {
      const filler = 'word '.repeat(before / 5)
      const body = said(`${filler}card ${CARD} and more. ${'word '.repeat(4000)}`)
      const rest = JSON.stringify(await without(body, approved))
      assert.doesNotMatch(rest, /4111/, String(before))
      assert.match(rest, /card {2}and more/, String(before))
    }
  })

  it('are independent of the model, and leave the words of the protocol in place', async () => {
    const approved = await approvedOf(said('user'))
    const other = { ...said('user'), model: 'o3' }
    assert.deepEqual(await without(other, approved), { ...said(''), model: 'o3' })
  })

  it('take nothing out when nothing of it was approved', async () => {
    assert.equal(await without(said('new'), await approvedOf(said('old'))), undefined)
  })

  it('are of the newest texts where there are many, whatever stands behind the messages', async () => {
    const many = {
      ...said(...Array.from({ length: 2000 }, (_, n) => `text number ${n}`)),
      tools: Array.from({ length: 900 }, (_, n) => ({ description: `tool ${n}` })),
      system: 'be kind',
    }
    const { marks } = await marked(many)
    assert.equal(marks.length, MAX_TEXTS)
    assert.ok(marks.includes(mark('text number 1999')))
    assert.ok(!marks.includes(mark('text number 0')))
  })

  it('are of the text as policies see it: folded, decoded, and joined of parts', async () => {
    const base64 = Buffer.from(`the number is ${CARD}`).toString('base64')
    for (const content of [
      'my card ４１１１ １１１１ １１１１ １１１１',
      [{ type: 'file', file: { file_data: `data:text/plain;base64,${base64}` } }],
      ['4111 1111', ' 1111 1111'].map((text) => ({ type: 'text', text })),
    ]) {
      const said = await textOf({ messages: [{ role: 'user', content }] })
      assert.equal(said.said?.findings.length, 1)
      const { marks } = await markedOf(said, mark)
      const rest = await (await markedOf(said, mark)).without(new Set(marks))
      const left = said.said && rest && atOnce(said.said.again(rest.edit))
      assert.deepEqual(left?.findings, [])
      const passages = new Set(marks.filter(isPassage))
      const other = await textOf({ messages: [{ role: 'user', content: CARD }] })
      assert.equal(
        (await (await markedOf(other, mark)).without(passages))?.edit(CARD, 'person'),
        '',
      )
    }
  })

  it('are of this installation alone', () => {
    assert.notEqual(mark(CARD), markOf(Buffer.alloc(32, 8))(CARD))
  })

  it('are of the lines of the prompt where the body is no JSON', async () => {
    const before = await marked(undefined, 'plain words')
    assert.deepEqual(before.marks, [mark('plain words')])
    const later = await marked(undefined, 'plain words\nand new ones')
    assert.equal((await later.without(new Set(before.marks)))?.prompt, '\nand new ones')
  })
})
