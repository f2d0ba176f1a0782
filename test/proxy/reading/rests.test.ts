/**
 * Reading rests: between two rests it does no more than a bounded piece of work, whatever shape
 * a body of some megabytes has. Counted in rests for so many things, not in time, which on a
 * shared machine says nothing.
 */
import assert from 'node:assert/strict'
import { Heard } from '../../../src/conversations/heard.js'
import { decoded } from '../../../src/detect/text-shape.js'
import type { Resting } from '../../../src/core/resting.js'
import { JSON_LIMITS } from '../../../src/json/json-scanner.js'
import { recognise } from '../../../src/providers/index.js'
import type { BodyText } from '../../../src/providers/body-text.js'
import { readRequest } from '../../../src/proxy/reading/request-reading.js'
import { saidOf } from '../../../src/proxy/reading/said.js'
import type { Said } from '../../../src/proxy/reading/said.js'

const MIB = 1024 * 1024
const CARD = '4111 1111 1111 1111'

function counted<T>(work: Resting<T>): { rests: number; made: T } {
  for (let rests = 0; ; rests++) {
    const step = work.next()
    if (step.done === true) return { rests, made: step.value }
  }
}

function read(body: Buffer, contentType = 'application/json') {
  const head = { contentType, contentEncoding: undefined }
  const copy = { bytes: body, whole: true, head, path: '/v1/chat/completions' }
  const asked = { host: 'api.openai.com', method: 'POST', path: copy.path }
  const recognised = recognise(asked)
  assert.ok(recognised !== undefined)
  const json = { ...JSON_LIMITS, maxBytes: 8 * MIB }
  const { rests, made } = counted(
    readRequest(recognised, copy, { json, wantsText: true }),
  )
  return { rests, text: made.text ?? assert.fail('it has no text') }
}

const look = ({ units }: BodyText): { rests: number; made: Said } =>
  counted(saidOf(units, new Heard().in('a conversation', {})))

const found = ({ findings }: Said): readonly string[] => findings.map(({ kind }) => kind)

const chat = (content: string, role = 'user'): Buffer =>
  Buffer.from(`{"model":"m","messages":[{"role":"${role}","content":${content}}]}`)

describe('reading rests', () => {
  it('in a message of a hundred thousand parts, which is read all the same', () => {
    const part = '{"type":"text","text":"hi"},'
    const body = chat(`[${part.repeat(45_000)}{"type":"text","text":"${CARD}"}]`)
    // As many values as a text of its length may have.
    const { text } = read(Buffer.concat([body, Buffer.alloc(6 * MIB, ' ')]))
    const { rests, made } = look(text)
    assert.ok(rests > 45_000, `${rests}`)
    assert.ok(found(made).includes('credit_card'))
  })

  it('in what a model is said to have said, by its lines', () => {
    const body = chat(`"${'one line\\n'.repeat(20_000)}${CARD}"`, 'assistant')
    const { rests, made } = look(read(body).text)
    assert.ok(rests > 20_000 / 64, `${rests}`)
    assert.ok(found(made).includes('credit_card'))
  })

  it('in lines of JSON, in names of fields, and in a form that is nothing but delimiters', () => {
    const lines = read(Buffer.from(`{"a":"words"}\n`.repeat(20_000)))
    assert.ok(look(lines.text).rests > 20_000)
    const names = Array.from({ length: 900 }, (_, i) => `"${`${i}`.padEnd(2000, 'k')}":1`)
    const { rests } = read(Buffer.from(`{${names.join()}}`))
    assert.ok(rests > 4, `${rests}`)
    const form = `--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n${'\r\n--'.repeat(
      MIB / 4,
    )}${CARD}\r\n--b--\r\n`
    const dashes = read(Buffer.from(form), 'multipart/form-data; boundary=b')
    assert.ok(dashes.rests >= MIB / (16 * 1024), `${dashes.rests}`)
    assert.ok(found(look(dashes.text).made).includes('credit_card'))
  })

  it('in base64 in lines, wherever a line ends', () => {
    const plain = `${'the quick brown fox '.repeat(20_000)}ends here`
    const base64 = Buffer.from(plain).toString('base64')
    for (const width of [4, 63, 64, 76]) {
      const lined = base64.replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n')
      const { rests, made } = counted(decoded(lined, false))
      assert.deepEqual(made, { kind: 'text', text: plain })
      assert.ok(rests > lined.length / (64 * 1024), `${rests}`)
    }
  })
})
