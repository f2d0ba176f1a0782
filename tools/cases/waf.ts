/**
 * Requests of a rule set's own regression tests, sent through YORI with the firewall on, and the
 * same engine with the same rules asked directly: which rules match, and whether the request is
 * stopped, must be the same. How many rows get the rules that their authors expect is said by
 * family of rules.
 */
import { Engine } from '../../src/waf/libmodsecurity.js'
import type { Rules } from '../../src/waf/libmodsecurity.js'
import { after, before } from '../../src/waf/directives.js'
import { ADVISORY } from '../../src/waf/judge.js'
import { findRuleSet, rulesOf } from '../../src/waf/rule-set.js'
import type { RuleAbout } from '../../src/waf/rule-set.js'
import { readSaid } from '../../src/waf/said.js'
import type { Said } from '../../src/waf/said.js'
import { connectThroughProxy, rawTlsClient } from '../../test/support/clients.js'
import { startOrigin } from '../../test/support/origins.js'
import { TestCa } from '../../test/support/test-ca.js'
import { firewallOf } from '../../test/support/waf.js'
import { Yori } from '../../test/support/yori.js'
import type { Row as Recorded } from '../../test/support/yori.js'
import { outcomeOf } from './kind.js'
import type { CaseKind, CaseRunner, Outcome, Row } from './kind.js'
import { fieldsOf, hiddenNames, rawOf, wafRowOf } from './waf-row.js'
import type { WafRow } from './waf-row.js'

/** No provider that is known: its bodies are checked whole. */
const HOST = 'app.example.com'
const RULES = '/usr/share/modsecurity-crs'
/** The tests of a rule set are written for all of its rules. */
const PARANOIA = 4
const THRESHOLD = 5
/** How long an answer may take: beyond it the row is wrong. */
const PATIENCE_MS = 20_000

export const wafCases: CaseKind = {
  name: 'waf',
  about: 'regression tests of the Core Rule Set: through YORI, and the engine directly',
  async open(files = []) {
    try {
      findRuleSet(RULES)
      return await WafRunner.open(Engine.open(), files)
    } catch (cause) {
      return skipping((cause as Error).message)
    }
  },
}

function skipping(why: string): CaseRunner {
  return {
    categoryOf,
    run: () => Promise.resolve({ kind: 'skipped', why }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function categoryOf(row: Row): string {
  return String(row['rule_id']).slice(0, 3)
}

interface Share {
  rows: number
  hit: number
}

class WafRunner implements CaseRunner {
  readonly #yori: Yori
  readonly #rules: Rules
  readonly #about: ReadonlyMap<number, RuleAbout>
  readonly #stack: AsyncDisposable[]
  /** Of rows whose rules are installed, by family. */
  readonly #shares = new Map<string, Share>()
  readonly #known = new Set<unknown>()
  #unknown = 0
  #compared = 0
  #equal = 0

  private constructor(
    yori: Yori,
    rules: Rules,
    about: ReadonlyMap<number, RuleAbout>,
    stack: AsyncDisposable[],
  ) {
    this.#yori = yori
    this.#rules = rules
    this.#about = about
    this.#stack = stack
  }

  static async open(engine: Engine, files: readonly string[]): Promise<WafRunner> {
    const set = findRuleSet(RULES)
    const settings = { paranoia: PARANOIA, threshold: THRESHOLD, exclusions: [] }
    const rules = engine.load([
      { text: before(set, settings, Date.now()) },
      ...set.files.map((file) => ({ file })),
      { text: after(set) },
    ])
    const stack: AsyncDisposable[] = []
    try {
      const ca = new TestCa()
      const origin = await startOrigin({
        certificate: ca.issue({ names: [HOST] }),
        handler: (incoming, response) => {
          incoming.resume().on('end', () => response.end('answered'))
        },
      })
      stack.push(origin)
      const yori = await Yori.start({
        origins: { [HOST]: origin },
        trust: [ca],
        config: {
          ...{ mode: 'enforce', enforcement: { enabled: true, consent_accepted: true } },
          ...{ endpoints: [{ domain: HOST }], ca: { permitted: [HOST] } },
          waf: {
            ...{ enabled: true, rules: RULES, paranoia: PARANOIA, threshold: THRESHOLD },
            ...{ timeout_ms: PATIENCE_MS, headers: await hiddenNames(files) },
          },
        },
      })
      stack.push(yori)
      stack.push(await firewallOf(yori))
      return new WafRunner(yori, rules, rulesOf(set), stack)
    } catch (cause) {
      await endAll(stack)
      throw cause
    }
  }

  categoryOf = categoryOf

  async run(row: Row): Promise<Outcome> {
    const known = wafRowOf(row)
    if (known === undefined) return { kind: 'skipped', why: 'a form that is not played' }
    const { recorded, answer } = await this.#through(known)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
    const note = `${recorded?.['policy_message'] ?? ''}`
    const isAsked =
      recorded?.['policy_decision'] !== undefined && recorded['policy_decision'] !== null
    if (!isAsked) {
      const code = /\b(YORI_[A-Z_]+)/.exec(answer)?.[1] ?? `status ${status}`
      return { kind: 'skipped', why: `YORI refuses it before anybody looks: ${code}` }
    }
    const direct = readSaid(
      this.#rules.check({
        ...{ method: known.method, uri: known.uri, version: '1.1' },
        ...{ clientAddress: '127.0.0.1', clientPort: 1, fields: fieldsOf(known, HOST) },
        body: known.body,
      }),
    )
    this.#share(known, direct)
    const ids = /\bwaf: rules ([\d, ]*)/.exec(note)?.[1]?.split(', ') ?? []
    const got = {
      rules: sorted(ids.map(Number)),
      stopped: recorded['policy_name'] === 'waf',
    }
    const expected = {
      rules: sorted(direct.hits.map(({ rule }) => rule)),
      stopped: this.#stops(direct),
    }
    this.#compared++
    const isSame = JSON.stringify(got) === JSON.stringify(expected)
    if (isSame) this.#equal++
    const what = `the engine asked directly: ${String(row['rule_id'])}-${String(row['test_id'])}`
    return outcomeOf(isSame ? [] : [{ what, expected, got }])
  }

  /** By the engine, but for the few rules that are noted and do not count (docs/WAF.md). */
  #stops({ hits, score, isStopped }: Said): boolean {
    const spared = hits
      .filter(({ rule }) => ADVISORY.has(rule))
      .reduce((sum, { rule }) => sum + (this.#about.get(rule)?.points ?? 0), 0)
    return isStopped && (score < THRESHOLD || score - spared >= THRESHOLD)
  }

  #share({ family, expects, forbids }: WafRow, { hits }: Said): void {
    if (![...expects, ...forbids].every((rule) => this.#about.has(rule))) {
      this.#unknown++
      return
    }
    const share = this.#shares.get(family) ?? { rows: 0, hit: 0 }
    this.#shares.set(family, share)
    share.rows++
    const has = (rule: number): boolean => hits.some((hit) => hit.rule === rule)
    if (expects.every(has) && !forbids.some(has)) share.hit++
  }

  async #through(
    row: WafRow,
  ): Promise<{ answer: string; recorded: Recorded | undefined }> {
    const raw = await connectThroughProxy(this.#yori.port, HOST, 443)
    const port = raw.localPort
    const ca = this.#yori.rootPem
    const socket = await rawTlsClient({ servername: HOST, ca, socket: raw })
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      const end = (): void => resolve(text)
      socket.setTimeout(PATIENCE_MS, end)
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.on('error', end)
      socket.on('end', end)
      socket.on('close', end)
      socket.write(rawOf(row, HOST))
    })
    socket.destroy()
    return { answer, recorded: await this.#recorded(port) }
  }

  /** Undefined: it came to no exchange. */
  async #recorded(port: number | undefined): Promise<Recorded | undefined> {
    const due = performance.now() + PATIENCE_MS
    for (;;) {
      const connections = await this.#yori.rows('connections')
      // The system gives a port again, at times before its row is written.
      const found = connections.findLast(
        (row) => row['client_port'] === port && !this.#known.has(row['connection_id']),
      )
      if (found !== undefined) {
        const all = await this.#yori.rows('exchanges')
        const own = all.filter((row) => row['connection_id'] === found['connection_id'])
        if (own.every((row) => row['event_type'] !== 'request')) {
          this.#known.add(found['connection_id'])
          return own.at(-1)
        }
      }
      if (performance.now() > due) throw new Error('the connection was not recorded')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  table(): readonly string[] {
    const families = [...this.#shares].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const sum = { rows: 0, hit: 0 }
    const lines = families.map(([family, { rows, hit }]) => {
      sum.rows += rows
      sum.hit += hit
      return `${family}       ${hit} of ${rows} (${percent(hit, rows)})`
    })
    return [
      'family    rows with the rules that their authors expect, of those that are installed',
      ...lines,
      `all       ${sum.hit} of ${sum.rows} (${percent(sum.hit, sum.rows)}); ` +
        `${this.#unknown} rows are about rules that are not installed`,
      `as the engine says when asked directly: ${this.#equal} of ${this.#compared} ` +
        `(${percent(this.#equal, this.#compared)})`,
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#stack)
    this.#rules.close()
  }
}

async function endAll(stack: readonly AsyncDisposable[]): Promise<void> {
  for (const one of stack.toReversed()) await one[Symbol.asyncDispose]()
}

function sorted(rules: readonly number[]): number[] {
  return [...new Set(rules)].toSorted((a, b) => a - b)
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`
}
