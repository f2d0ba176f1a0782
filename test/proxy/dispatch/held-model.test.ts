/** What is held to find a model counts, and without room nothing waits. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { ByteBudget, Hold } from '../../../src/proxy/bounds/byte-budget.js'
import { holdForModel } from '../../../src/proxy/dispatch/held-model.js'
import type { HeldRequest } from '../../../src/proxy/dispatch/held-model.js'
import { readRequestHead } from '../../../src/http/head.js'
import type { HttpRequest } from '../../../src/proxy/words/http-words.js'

const BODY = '{"model": "gpt-4o", "messages": []}'

function posted(): { request: HttpRequest; stream: Readable } {
  const stream = new Readable({ read: () => undefined })
  Object.assign(stream, { headers: {}, rawHeaders: [], rawTrailers: [], complete: false })
  return { request: stream as unknown as HttpRequest, stream }
}

describe('a body that is held for its model', () => {
  const head = readRequestHead([
    ...['Content-Type', 'application/json'],
    ...['Content-Length', String(BODY.length)],
  ])

  async function held(
    budget: ByteBudget,
    pieces: readonly string[],
  ): Promise<HeldRequest> {
    const { request, stream } = posted()
    const hold = new Hold(budget, 'a device')
    return await new Promise((resolve) => {
      holdForModel(request, head, { maxBytes: 1024, hold, use: resolve })
      for (const piece of pieces) stream.push(piece)
      if (pieces.join('') === BODY) {
        Object.assign(stream, { complete: true })
        stream.push(null)
      }
    })
  }

  it('names it, and counts no more once somebody serves it', async () => {
    const budget = new ByteBudget(1024, 1024)
    const { models, request } = await held(budget, [BODY.slice(0, 9), BODY.slice(9)])
    assert.deepEqual(models, ['gpt-4o'])
    assert.equal(budget.held, 0)
    assert.equal(await textOf(request), BODY)
  })

  it('has none where there is no room, and goes on from its beginning', async () => {
    const budget = new ByteBudget(1024, 10)
    const { models, request } = await held(budget, [BODY.slice(0, 9), BODY.slice(9, 20)])
    assert.equal(models, undefined)
    assert.equal(budget.held, 0)
    const [first] = (await once(request as unknown as Readable, 'data')) as [Buffer]
    assert.ok(BODY.startsWith(first.toString()))
  })

  it('gives its room back when its client goes', async () => {
    const budget = new ByteBudget(1024, 1024)
    const { request, stream } = posted()
    const hold = new Hold(budget, 'a device')
    holdForModel(request, head, { maxBytes: 1024, hold, use: () => assert.fail() })
    stream.push(BODY.slice(0, 9))
    await new Promise(setImmediate)
    assert.equal(budget.held, 9)
    stream.destroy()
    await once(stream, 'close')
    assert.equal(budget.held, 0)
  })
})

async function textOf(request: HttpRequest): Promise<string> {
  let text = ''
  for await (const piece of request as unknown as Readable) text += String(piece)
  return text
}
