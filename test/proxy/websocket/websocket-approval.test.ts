/**
 * Responses over WebSocket by the openai package: what was refused in a turn and approved by its
 * code passes when it is sent again, and nothing else does.
 */
import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'
import { WebSocketServer } from 'ws'
import { approveCommand } from '../../../src/cli/commands/household/approve.js'
import { startOrigin } from '../../support/origins.js'
import { runCommand } from '../../support/policy-command.js'
import {
  certificate,
  endedExchanges,
  joined,
  NAME,
  until,
} from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}
const CARD = 'my card is 4111 1111 1111 1111'
const OTHER_CARD = 'and 5555 5555 5555 4444'
const SSN = 'my number is 123-45-6789'

type Input = OpenAI.Responses.ResponseInput

const user = (content: string): Input[number] => ({ role: 'user', content })
const assistant = (content: string): Input[number] => ({ role: 'assistant', content })

interface Provider extends Proxied {
  /** The input of each turn that came to it. */
  readonly heard: unknown[]
}

async function provider(): Promise<Provider> {
  const origin = await startOrigin({ certificate })
  const server = new WebSocketServer({ server: origin.server as Server })
  const heard: unknown[] = []
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('message', (data) => {
      const { input, model } = JSON.parse((data as Buffer).toString()) as {
        input: unknown
        model: string
      }
      const response = { id: `resp_${heard.push(input)}`, object: 'response', model }
      const usage = { input_tokens: 5, output_tokens: 1, total_tokens: 6 }
      const done = { ...response, status: 'completed', output: [], usage }
      socket.send(JSON.stringify({ type: 'response.completed', response: done }))
    })
  })
  return Object.assign(await joined(origin, ENFORCE), { heard })
}

/** `passed`, or what the turn was told instead. */
type Told = 'passed' | { readonly message: string; readonly code: string }

interface Conversation extends Disposable {
  say(input: string | Input, model?: string): Promise<Told>
  /** It was closed, and with which code. */
  readonly closed: Promise<number>
}

async function conversation({ yori }: Proxied): Promise<Conversation> {
  const secure = await yori.tls(NAME)
  const client = new OpenAI({ apiKey: 'simulated-key' })
  const socket = new ResponsesWS(client, { createConnection: () => secure })
  await new Promise<void>((resolve) => socket.socket.on('open', () => resolve()))
  const closed = new Promise<number>((resolve) =>
    socket.socket.on('close', (code: number) => resolve(code)),
  )
  return {
    closed,
    say: (input, model = 'gpt-5-mini') =>
      new Promise((resolve) => {
        const passes = (): void => settle('passed')
        const fails = (error: Error): void => {
          const { message } = error
          settle({
            message,
            code: /with the code (\w{3}-\w{3})/.exec(message)?.[1] ?? '',
          })
        }
        const settle = (told: Told): void => {
          socket.off('response.completed', passes)
          socket.off('error', fails)
          resolve(told)
        }
        socket.on('response.completed', passes)
        socket.on('error', fails)
        socket.send({ type: 'response.create', model, input })
      }),
    [Symbol.dispose]: () => socket.close(),
  }
}

async function approve({ yori }: Proxied, code: string): Promise<void> {
  await yori.appliance.audit.flush()
  const ran = await runCommand(yori, approveCommand, 'approve', code)
  assert.equal(ran.code, 0, ran.notes)
}

/** Says it in a conversation of its own, as a program does that was closed upon. */
async function saysOnce(setup: Proxied, input: string | Input, model?: string) {
  using talk = await conversation(setup)
  return talk.say(input, model)
}

function refused(told: Told): Exclude<Told, 'passed'> {
  assert.notEqual(told, 'passed')
  return told as Exclude<Told, 'passed'>
}

describe('an approval of a turn over WebSocket', () => {
  it('lets that turn pass when it is sent again, and no other that is bad', async () => {
    await using setup = await provider()
    using first = await conversation(setup)
    assert.equal(await first.say('hello'), 'passed')
    const { code, message } = refused(await first.say(CARD))
    assert.match(message, /the prompt holds a card number/)
    assert.equal(await first.closed, 1008)
    assert.match(code, /^\w{3}-\w{3}$/)
    await approve(setup, code)

    using again = await conversation(setup)
    assert.equal(await again.say(CARD), 'passed')
    // The next turn repeats it as history, also to another model, and beside new words.
    const history = [user(CARD), assistant('I have it.'), user('And what is it?')]
    assert.equal(await again.say(history), 'passed')
    assert.equal(await again.say(history, 'gpt-5'), 'passed')
    assert.deepEqual(setup.heard, ['hello', CARD, history, history])

    refused(await again.say([...history, user(OTHER_CARD)]))
    assert.equal(await again.closed, 1008)
    refused(await saysOnce(setup, SSN))
    refused(await saysOnce(setup, `${CARD} ${OTHER_CARD}`))
    assert.equal(setup.heard.length, 4)
    assert.equal(await saysOnce(setup, CARD, 'gpt-5'), 'passed')
  })

  it('of a finding has one row for what is refused again, and its rows say what passed', async () => {
    await using setup = await provider()
    const { code } = refused(await saysOnce(setup, CARD))
    assert.equal(refused(await saysOnce(setup, CARD)).code, code, 'the same code')
    await approve(setup, code)
    assert.equal(await saysOnce(setup, CARD), 'passed')
    const turns = async () =>
      (await endedExchanges(setup.yori, 5)).filter(
        (row) => row['response_status'] !== 101,
      )
    await until(async () => (await turns()).length === 2)
    const [blocked, passed] = await turns()
    assert.deepEqual([blocked?.['event_type'], blocked?.['repeats']], ['block', 1])
    assert.equal(passed?.['event_type'], 'response')
    assert.match(String(passed['bypass']), /^approval/)
  })
})
