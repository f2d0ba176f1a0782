/**
 * The dashboard in Debian's Chromium, led by playwright-core, over a YORI of this process with
 * a household's traffic through it: OpenAI's and Anthropic's own clients, tools, a block.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Page,
} from 'playwright-core'
import { hashPassword } from '../../src/net/password.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { chromiumPath } from './chromium-path.js'
import { Controlled } from './control.js'
import { anthropicSdk, openaiSdk } from './sdk.js'

export const HOSTILE = '<img src=x onerror="document.title=1">&"\'</td><script>1</script>'
export const PASSWORD = 'a long password of Ada'
export const PIN = '482913'
export const CARD = 'My card is 4111 1111 1111 1111'

export const PHONE = { width: 390, height: 844 }
export const DESKTOP = { width: 1280, height: 800 }

export class Dashboard implements AsyncDisposable {
  readonly simulator: Simulator
  readonly on: Controlled
  readonly browser: Browser

  private constructor(simulator: Simulator, on: Controlled, browser: Browser) {
    this.simulator = simulator
    this.on = on
    this.browser = browser
  }

  static async start(): Promise<Dashboard> {
    const simulator = await Simulator.start()
    const password_hash = await hashPassword(PASSWORD)
    const pin_hash = await hashPassword(PIN)
    const on = await Controlled.start({
      origins: { 'api.openai.com': simulator, 'api.anthropic.com': simulator },
      trust: [simulator.ca],
      config: {
        mode: 'enforce',
        enforcement: {
          enabled: true,
          consent_accepted: true,
        },
        policies: { files: { privacy: { enabled: true, action: 'block' } } },
        audit: { bodies: 'both' },
        alerts: { inbox: true },
        control: {
          listen: '127.0.0.1:0',
          people: [
            { name: 'Ada', password_hash, role: 'household' },
            { name: 'Vic', password_hash, pin_hash, role: 'view' },
          ],
        },
      },
    })
    const browser = await chromium.launch({
      executablePath: chromiumPath() ?? '',
      args: [
        ...['--no-sandbox', '--disable-background-networking'],
        '--disable-component-update',
      ],
    })
    return new Dashboard(simulator, on, browser)
  }

  get origin(): string {
    return `http://127.0.0.1:${this.on.port}`
  }

  /** A browser that nobody has logged in with. */
  context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.browser.newContext({
      baseURL: this.origin,
      viewport: DESKTOP,
      ...options,
    })
  }

  /** One that has opened a link of `yori dashboard`. */
  async admin(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.context(options)
    const page = await context.newPage()
    await this.logIn(page)
    return page
  }

  async logIn(page: Page): Promise<void> {
    const { body } = await this.on.ask('/api/login-links', { method: 'POST' })
    await page.goto((body as { url: string }).url)
  }

  /** One call by OpenAI's client; `model` is what a row shows. */
  async say(
    content: string,
    { model = 'gpt-4o-mini', from = '127.0.0.1' } = {},
  ): Promise<void> {
    const sdk = openaiSdk({ dispatcher: this.on.yori.dispatcher(from) })
    await sdk.chat.completions.create({ model, messages: [{ role: 'user', content }] })
  }

  /** What a household asks in a while: two turns of an agent with tools, a block, a failure. */
  async traffic(): Promise<void> {
    const { yori } = this.on
    const sdk = openaiSdk({ dispatcher: yori.dispatcher() })
    const first = [
      { role: 'system' as const, content: 'You mend bicycles and say so.' },
      { role: 'user' as const, content: 'How tall is a giraffe?' },
    ]
    const tools = [
      { type: 'function' as const, function: { name: 'search', parameters: {} } },
    ]
    const headers = { 'x-yori-agent-id': 'mender', 'x-yori-session-id': 'first-session' }
    const model = 'gpt-4o-mini'
    const answered = await sdk.chat.completions.create(
      { model, messages: first },
      { headers },
    )
    const said = answered.choices[0]?.message.content ?? ''
    const second = [
      ...first,
      { role: 'assistant' as const, content: said },
      { role: 'user' as const, content: 'And a whale?' },
    ]
    await sdk.chat.completions.create({ model, messages: second }, { headers })
    await sdk.chat.completions.create({ model, tools, messages: second }, { headers })
    const stream = await sdk.chat.completions.create({
      ...{ model: 'gpt-4o', stream: true },
      messages: [{ role: 'user', content: HOSTILE }],
    })
    for await (const chunk of stream) void chunk
    const anthropic = anthropicSdk({ dispatcher: yori.dispatcher('127.0.0.2') })
    await anthropic.messages.create({
      ...{ model: 'claude-3-5-sonnet-latest', max_tokens: 64 },
      messages: [{ role: 'user', content: 'Write me a poem about the sea.' }],
    })
    await this.say('What is for dinner?', { from: '127.0.0.3', model: 'gpt-4o' })
    await this.say(CARD, { from: '127.0.0.3' }).catch(() => undefined)
    this.simulator.once({ status: 503 })
    await this.say('Are you there?', { from: '127.0.0.2' }).catch(() => undefined)
    await yori.closeClients()
    await yori.appliance.audit.flush()
  }

  /** What axe-core finds on a page as it stands, by all its rules or by these, a line each. */
  async findings(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
    if (!(await page.evaluate<boolean>('"axe" in globalThis')))
      await page.evaluate(axeSource())
    const only = rules === undefined ? '' : `, runOnly: ${JSON.stringify(rules)}`
    const { violations } = await page.evaluate<AxeFound>(
      `axe.run(document, { resultTypes: ['violations']${only} })`,
    )
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
    await this.on[Symbol.asyncDispose]()
    await this.simulator[Symbol.asyncDispose]()
  }
}

interface AxeFound {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

let source: string | undefined

function axeSource(): string {
  const { resolve } = createRequire(import.meta.url)
  return (source ??= readFileSync(resolve('axe-core/axe.min.js'), 'utf8'))
}
