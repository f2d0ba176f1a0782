/** YORI inside a program, by the name of the package as its users import it. */
import assert from 'node:assert/strict'
import OpenAI from 'openai'
import * as embedded from 'yori'
import type * as Index from '../../src/index.js'
import { startLlmOrigin } from '../support/llm-origin.js'

const { AlreadyRunning, currentAgentId, isRunning, startYori } = embedded
/** What the package promises is what it has. */
const promised: typeof Index = embedded
assert.ok(promised)

describe('YORI inside a program', () => {
  it('is one for the same agent, port, target and key, and refuses any other', async () => {
    await using origin = await startLlmOrigin()
    const target = `http://127.0.0.1:${origin.port}`
    const same = { agentId: 'writer', target, key: 'sk-of-the-program' }
    assert.equal(isRunning(), false)
    {
      await using yori = await startYori(same)
      assert.equal(await startYori({ ...same }), yori)
      assert.deepEqual(
        [isRunning(), yori.isRunning, yori.agentId, currentAgentId()],
        [true, true, 'writer', 'writer'],
      )
      for (const other of [
        { key: 'sk-another' },
        { target: 'http://127.0.0.1:9' },
        { agentId: 'reader' },
        { port: yori.port },
      ])
        await assert.rejects(startYori({ ...same, ...other }), AlreadyRunning)
      const openai = new OpenAI({ apiKey: 'none', baseURL: `${yori.url}/v1` })
      const asked = {
        model: 'gpt-4o',
        messages: [{ role: 'user' as const, content: 'hi' }],
      }
      await openai.chat.completions.create(asked)
      assert.equal(origin.arrived.at(-1)?.headers.authorization, 'Bearer none')
      const bare = await fetch(`${yori.url}/v1/models`)
      await bare.arrayBuffer()
      assert.equal(
        origin.arrived.at(-1)?.headers.authorization,
        'Bearer sk-of-the-program',
      )
      await yori.stop()
      await yori.stop()
      assert.deepEqual(
        [isRunning(), yori.isRunning, currentAgentId()],
        [false, false, undefined],
      )
      await assert.rejects(fetch(`${yori.url}/v1/models`))
    }
    // The next may be another.
    await using next = await startYori({ ...same, agentId: 'reader', key: 'sk-another' })
    assert.equal(next.agentId, 'reader')
    await assert.rejects(startYori({ ...same, agentId: 'a b' }), RangeError)
  })

  it('is none when it could not start', async () => {
    const target = 'no URL'
    await assert.rejects(startYori({ agentId: 'writer', target }))
    assert.equal(isRunning(), false)
  })
})
