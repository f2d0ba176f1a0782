/**
 * One tab of a headless Chromium: where it is, what it shows, what it would not load. Waits end
 * by the page's own frames, or fail after their limit.
 */
import { writeFile } from 'node:fs/promises'
import type { DevToolsSession } from './cdp.js'
import { PATIENCE_MS } from './patience.js'

const MAX_NOTES = 500

export interface View {
  /** CSS pixels; a desktop of 1280 x 800 unless said. */
  readonly width?: number
  readonly height?: number
  /** Touch, and a viewport as a phone has it. */
  readonly mobile?: boolean
  readonly scheme?: 'light' | 'dark'
  readonly userAgent?: string
  readonly javaScript?: boolean
  /** `Accept-Language` of all that it asks for. */
  readonly language?: string
}

/** A phone as most are. */
export const PHONE: View = { width: 390, height: 844, mobile: true }

interface Evaluated {
  readonly result: { readonly value?: unknown }
  readonly exceptionDetails?: {
    readonly text: string
    readonly exception?: { readonly description?: string }
  }
}

interface Box {
  readonly x: number
  readonly y: number
}

export class ChromiumPage {
  /** URLs that it asked for. */
  readonly requests: string[] = []
  /** What the console said, refusals by the content security policy among it. */
  readonly console: string[] = []
  /** `net::ERR_CERT_AUTHORITY_INVALID` and the like, in their order. */
  readonly failures: string[] = []
  readonly #session: DevToolsSession
  #status = 0

  private constructor(session: DevToolsSession) {
    this.#session = session
  }

  static async open(session: DevToolsSession, view: View): Promise<ChromiumPage> {
    const page = new ChromiumPage(session)
    page.#listen()
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) {
      await session.send(`${domain}.enable`)
    }
    await page.look(view)
    if (view.userAgent !== undefined) {
      await session.send('Network.setUserAgentOverride', { userAgent: view.userAgent })
    }
    if (view.language !== undefined) {
      const headers = { 'Accept-Language': view.language }
      await session.send('Network.setExtraHTTPHeaders', { headers })
    }
    if (view.javaScript === false) {
      await session.send('Emulation.setScriptExecutionDisabled', { value: true })
    }
    return page
  }

  /** Another size or colour scheme for the same page. */
  async look(view: View): Promise<void> {
    const mobile = view.mobile ?? false
    await this.#session.send('Emulation.setDeviceMetricsOverride', {
      width: view.width ?? 1280,
      height: view.height ?? 800,
      deviceScaleFactor: mobile ? 2 : 1,
      mobile,
    })
    await this.#session.send('Emulation.setTouchEmulationEnabled', { enabled: mobile })
    const scheme = { name: 'prefers-color-scheme', value: view.scheme ?? 'light' }
    await this.#session.send('Emulation.setEmulatedMedia', { features: [scheme] })
  }

  /** Loads a page to its end and gives its status; rejects with `net::ERR_...`. */
  async navigate(url: string): Promise<number> {
    const loaded = this.#session.next('Page.loadEventFired')
    loaded.catch(() => undefined)
    const { errorText } = await this.#session.send<{ errorText?: string }>(
      'Page.navigate',
      { url },
    )
    if (errorText !== undefined) throw new Error(errorText)
    await loaded
    return this.#status
  }

  /** The value of an expression, awaited; it must be JSON. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#session.send<Evaluated>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    })
    const { exceptionDetails: failed } = answer
    if (failed !== undefined) {
      throw new Error(failed.exception?.description ?? failed.text)
    }
    return answer.result.value as T
  }

  /** Waits, frame by frame, until an expression is true. */
  async until(expression: string): Promise<void> {
    const held = await this.evaluate<boolean>(`new Promise((resolve) => {
      const end = performance.now() + ${PATIENCE_MS}
      const look = () => {
        if (${expression}) resolve(true)
        else if (performance.now() > end) resolve(false)
        else requestAnimationFrame(look)
      }
      look()
    })`)
    if (!held) throw new Error(`never came true: ${expression}; ${await this.text()}`)
  }

  /** What a reader sees of an element, of the whole page unless said. */
  text(selector = 'body'): Promise<string> {
    return this.evaluate<string>(`${one(selector)}.innerText`)
  }

  async click(selector: string): Promise<void> {
    const { x, y } = await this.evaluate<Box>(`(() => {
      const element = ${one(selector)}
      element.scrollIntoView({ block: 'center', behavior: 'instant' })
      const box = element.getBoundingClientRect()
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
    })()`)
    const mouse = { x, y, button: 'left', clickCount: 1 }
    for (const type of ['mousePressed', 'mouseReleased']) {
      await this.#session.send('Input.dispatchMouseEvent', { ...mouse, type })
    }
  }

  /** Clicks a link or button and waits for the page that comes of it; gives its status. */
  async follow(selector: string): Promise<number> {
    const loaded = this.#session.next('Page.loadEventFired')
    loaded.catch(() => undefined)
    await this.click(selector)
    await loaded
    return this.#status
  }

  async type(selector: string, text: string): Promise<void> {
    await this.evaluate(`${one(selector)}.focus()`)
    await this.#session.send('Input.insertText', { text })
  }

  /** A PNG: of what is in view, or of the whole page. */
  async screenshot(file: string, options: { whole?: boolean } = {}): Promise<void> {
    const { data } = await this.#session.send<{ data: string }>(
      'Page.captureScreenshot',
      {
        format: 'png',
        captureBeyondViewport: options.whole ?? false,
        ...(options.whole === true ? { clip: await this.#wholePage() } : {}),
      },
    )
    await writeFile(file, Buffer.from(data, 'base64'))
  }

  async #wholePage(): Promise<Readonly<Record<string, number>>> {
    const { cssContentSize: size } = await this.#session.send<{
      cssContentSize: { width: number; height: number }
    }>('Page.getLayoutMetrics')
    return { x: 0, y: 0, width: size.width, height: size.height, scale: 1 }
  }

  #listen(): void {
    this.#session.on('Network.requestWillBeSent', (event) => {
      const { url } = event['request'] as { url: string }
      note(this.requests, url)
    })
    this.#session.on('Network.responseReceived', (event) => {
      const { status } = event['response'] as { status: number }
      if (event['type'] === 'Document') this.#status = status
    })
    this.#session.on('Network.loadingFailed', (event) => {
      note(this.failures, String(event['errorText']))
    })
    this.#session.on('Log.entryAdded', (event) => {
      note(this.console, (event['entry'] as { text: string }).text)
    })
    this.#session.on('Runtime.consoleAPICalled', (event) => {
      const args = event['args'] as { value?: unknown; description?: string }[]
      note(
        this.console,
        args.map((arg) => arg.description ?? JSON.stringify(arg.value)).join(' '),
      )
    })
    this.#session.on('Runtime.exceptionThrown', (event) => {
      note(this.console, JSON.stringify(event['exceptionDetails']))
    })
  }
}

function one(selector: string): string {
  const text = JSON.stringify(selector)
  return `(document.querySelector(${text}) ?? (() => { throw new Error('nothing is ' + ${text}) })())`
}

function note(list: string[], text: string): void {
  if (list.length < MAX_NOTES) list.push(text)
}
