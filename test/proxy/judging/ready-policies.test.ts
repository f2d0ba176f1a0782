/**
 * The policies that come with YORI, through the wire with the vendors' own SDKs, at their
 * boundaries. The clock is moved, not waited for.
 */
import assert from 'node:assert/strict'
import { PermissionDeniedError as AnthropicDenied } from '@anthropic-ai/sdk'
import { PermissionDeniedError as OpenaiDenied } from 'openai'
import type { Dispatcher } from 'undici'
import { Simulator } from '../../../tools/sim/simulator.js'
import { ManualClock } from '../../support/manual-clock.js'
import { endedExchanges } from '../../support/proxied.js'
import { anthropicSdk, openaiSdk } from '../../support/sdk.js'
import { HTTP_VERSIONS, Yori } from '../../support/yori.js'
import type { HttpVersion, Row } from '../../support/yori.js'

const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true, timezone: 'UTC' },
}

/**
 * Clients look at certificates by the real clock, so that ours may lag and not lead: days are
 * counted from a Wednesday in the middle of the month before.
 */
const WEDNESDAY = (() => {
  const now = new Date()
  const tenth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 10))
  return tenth.getTime() + ((10 - tenth.getUTCDay()) % 7) * 86_400_000
})()

/** `1 21:00:00` is nine in the evening of the day after that Wednesday. */
function moment(text: string): number {
  const [day = '0', time = ''] = text.split(' ')
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number)
  return (
    WEDNESDAY + Number(day) * 86_400_000 + (hours * 3600 + minutes * 60 + seconds) * 1000
  )
}

interface Setting {
  readonly action?: 'allow' | 'alert' | 'block'
  readonly params?: Record<string, unknown>
}

/** Every scenario runs over each. */
let version: HttpVersion = 'h1'

class Household implements AsyncDisposable {
  readonly yori: Yori
  readonly simulator: Simulator
  readonly clock: ManualClock
  /** Over the version of HTTP that is tried at the time. */
  dispatcher: Dispatcher
  #exchanges = 0

  private constructor(yori: Yori, simulator: Simulator, clock: ManualClock) {
    this.yori = yori
    this.simulator = simulator
    this.clock = clock
    this.dispatcher = yori.dispatcher(undefined, version)
  }

  static async with(
    files: Record<string, Setting>,
    options: { at?: string; groups?: string[] } = {},
  ): Promise<Household> {
    const simulator = await Simulator.start()
    const clock = new ManualClock(moment(options.at ?? '0 12:00:00'))
    const blocking = Object.entries(files).map(([name, setting]) => [
      name,
      { action: 'block', ...setting },
    ])
    const yori = await Yori.start({
      origins: { 'api.openai.com': simulator, 'api.anthropic.com': simulator },
      trust: [simulator.ca],
      clock,
      config: {
        ...ENFORCE,
        enforcement: {
          ...ENFORCE.enforcement,
          allowlist: {
            groups: (options.groups ?? []).map((name) => ({
              name,
              exempt: false,
              device_ips: ['127.0.0.1'],
            })),
          },
        },
        policies: { files: Object.fromEntries(blocking) as unknown },
      },
    })
    return new Household(yori, simulator, clock)
  }

  at(text: string): void {
    this.clock.advance(moment(text) - this.clock.now())
    // Hours later nobody has the connection of before, which is being closed.
    this.dispatcher = this.yori.dispatcher(undefined, version)
  }

  /** `allow`, `alert` or `block`, as the client met it and the record has it. */
  async says(words?: string, model = 'gpt-4o-mini'): Promise<[string, Row]> {
    // Other words each time: a block of the same ones has the row of the first.
    const prompt = words ?? `hello ${this.#exchanges}`
    let denied: string | undefined
    try {
      await openaiSdk({ dispatcher: this.dispatcher }).chat.completions.create({
        model,
        messages: [{ role: 'user', content: prompt }],
      })
    } catch (error) {
      assert.ok(error instanceof OpenaiDenied, String(error))
      denied = error.message
    }
    const row = await this.row()
    if (denied !== undefined) {
      assert.equal(row['event_type'], 'block')
      assert.ok(denied.includes(String(row['reason'])), denied)
      return ['block', row]
    }
    return [String(row['policy_decision']), row]
  }

  async row(): Promise<Row> {
    const rows = await endedExchanges(this.yori, ++this.#exchanges)
    return rows.at(-1) as Row
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.yori[Symbol.asyncDispose]()
    await this.simulator[Symbol.asyncDispose]()
  }
}

async function verdict(household: Household, prompt?: string, model?: string) {
  const [said] = await household.says(prompt, model)
  return said
}

for (const spoken of HTTP_VERSIONS)
  describe(`the ready-made policies, asked by an SDK over ${spoken}`, () => {
    before(() => {
      version = spoken
    })

    it('bedtime blocks from its hour to its hour', async () => {
      await using household = await Household.with({ bedtime: {} })
      const expected = [
        ['0 20:59:59', 'allow'],
        ['0 21:00:00', 'block'],
        ['1 05:59:59', 'block'],
        ['1 06:00:00', 'allow'],
      ] as const
      for (const [at, said] of expected) {
        household.at(at)
        assert.equal(await verdict(household), said, at)
      }
    })

    it('bedtime alerts where its action is no more', async () => {
      await using household = await Household.with(
        { bedtime: { action: 'alert' } },
        { at: '0 23:00:00' },
      )
      const [said, row] = await household.says()
      assert.equal(said, 'alert')
      assert.equal(row['policy_name'], 'bedtime')
    })

    it('home_default is heard when no other is', async () => {
      await using household = await Household.with({
        default: { action: 'block' },
        model_allowlist: { params: { models: ['gpt-4o-mini'] } },
      })
      assert.equal(await verdict(household), 'allow')
      const [said, row] = await household.says('hello', 'gpt-4o')
      assert.deepEqual([said, row['policy_name']], ['block', 'model_allowlist'])
    })

    it('high_usage warns, then blocks, and counts nothing that was blocked', async () => {
      await using household = await Household.with({
        high_usage: { params: { daily_threshold: 4, warn_percent: 50 } },
      })
      const said = []
      for (let n = 0; n < 6; n++) said.push(await verdict(household))
      assert.deepEqual(said, ['allow', 'allow', 'alert', 'alert', 'block', 'block'])
      household.at('1 00:00:00')
      assert.equal(await verdict(household), 'allow', 'a new day')
    })

    it('hourly_quota is wider at peak time', async () => {
      await using household = await Household.with(
        { hourly_quota: { params: { per_hour: 1, peak_per_hour: 2 } } },
        { at: '0 16:00:00' },
      )
      assert.equal(await verdict(household), 'allow')
      assert.equal(await verdict(household), 'block')
      household.at('0 17:00:00')
      assert.equal(await verdict(household), 'allow')
      assert.equal(await verdict(household), 'allow')
      assert.equal(await verdict(household), 'block')
    })

    it('privacy blocks a card, alerts on an address, and lets the rest pass', async () => {
      await using household = await Household.with({ privacy: {} })
      assert.equal(await verdict(household, 'pay with 4111 1111 1111 1111'), 'block')
      assert.equal(await verdict(household, 'pay with 4111 1111 1111 1112'), 'allow')
      const [said, row] = await household.says('write to kim@example.org')
      assert.equal(said, 'alert')
      assert.equal(row['findings'], '{"email":1}')
    })

    it('homework_helper blocks in school hours and alerts after', async () => {
      await using household = await Household.with(
        { homework_helper: {} },
        { at: '0 14:59:59' },
      )
      const homework = 'do my algebra homework'
      assert.equal(await verdict(household, homework), 'block')
      assert.equal(await verdict(household, 'what is algebra'), 'allow')
      household.at('0 15:00:00')
      assert.equal(await verdict(household, homework), 'alert')
    })

    it('parental is for the groups of minors alone', async () => {
      await using children = await Household.with(
        { parental: {} },
        { groups: ['children'] },
      )
      assert.equal(await verdict(children, 'teach me poker'), 'block')
      assert.equal(await verdict(children, 'teach me chess'), 'allow')
      await using others = await Household.with({ parental: {} }, { groups: ['guests'] })
      assert.equal(await verdict(others, 'teach me poker'), 'allow')
    })

    it('prompt_length warns and blocks by characters', async () => {
      await using household = await Household.with({ prompt_length: {} })
      const expected = [
        [5000, 'allow'],
        [5001, 'alert'],
        [20_000, 'alert'],
        [20_001, 'block'],
      ] as const
      for (const [chars, said] of expected) {
        assert.equal(await verdict(household, 'x'.repeat(chars)), said, String(chars))
      }
    })

    it('tool_guard blocks a tool by its name, and a conversation by its calls', async () => {
      await using household = await Household.with({
        tool_guard: { params: { denied_tools: ['delete_*'] } },
      })
      const dispatcher = household.dispatcher
      const offer = (name: string) =>
        openaiSdk({ dispatcher }).chat.completions.create({
          model: 'gpt-4o',
          messages: [{ role: 'user', content: 'go' }],
          tools: [{ type: 'function', function: { name, parameters: {} } }],
        })
      await offer('read_file')
      assert.equal((await household.row())['tools_offered'], '["read_file"]')
      await assert.rejects(offer('delete_file'), OpenaiDenied)
      const [reason] = [(await household.row())['reason']]
      assert.match(String(reason), /delete_file may not be used here/)
    })

    it('daily_allowance counts messages and carries what was left to the next day', async () => {
      await using household = await Household.with({
        daily_allowance: { params: { messages: 2, carry_messages: 1, warn_left: 1 } },
      })
      assert.equal(await verdict(household), 'allow')
      household.at('1 12:00:00')
      const said = []
      for (let n = 0; n < 4; n++) said.push(await verdict(household))
      assert.deepEqual(said, ['allow', 'allow', 'alert', 'block'])
      household.at('2 12:00:00')
      assert.equal(await verdict(household), 'allow')
      assert.equal(
        await verdict(household),
        'alert',
        'nothing was left of the day before',
      )
      assert.equal(await verdict(household), 'block')
    })

    it('says so to the Anthropic SDK in the shape that it knows', async () => {
      await using household = await Household.with({ bedtime: {} }, { at: '0 22:00:00' })
      const client = anthropicSdk({ dispatcher: household.dispatcher })
      await assert.rejects(
        client.messages.create({
          model: 'claude-sonnet-4-5',
          max_tokens: 10,
          messages: [{ role: 'user', content: 'hi' }],
        }),
        (error) => error instanceof AnthropicDenied && /bedtime/.test(error.message),
      )
      assert.equal(household.simulator.requests.all.length, 0)
    })
  })
