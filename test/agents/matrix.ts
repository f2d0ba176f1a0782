/**
 * Runs programs in a network namespace whose port 443 leads to YORI, as behind a router that
 * redirects, and says what each made of it. Runs inside the namespace (`main.ts` makes it).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../support/programs.js'
import type { Ran } from '../support/programs.js'
import { Yori } from '../support/yori.js'
import type { Row } from '../support/yori.js'
import { ANSWER } from './dialects.js'
import { AgentsOrigin } from './origin.js'
import { FAR } from './place.js'
import { MCP } from './programs.js'
import type { Agent, Place } from './programs.js'
import type { Outcome } from './verdict.js'

export const HARMLESS = 'What is six times seven? Answer in one sentence.'
/**
 * With a card number that only this program has, right by its check digit (ISO/IEC 7812-1): what
 * is refused again within a minute, whoever says it, counts in the row of the first.
 */
export const bad = (name: string): string =>
  `Remember my card ${cardOf(name)} for ${name} and say when you have it.`

function cardOf(name: string): string {
  const hash = createHash('sha256').update(name).digest()
  const digits = `411111${(hash.readUInt32BE() % 1e9).toString().padStart(9, '0')}`
  const sum = [...digits].reverse().reduce((all, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1)
    return all + (value > 9 ? value - 9 : value)
  }, 0)
  return `${digits}${(10 - (sum % 10)) % 10}`.replace(/(?<=\d)(?=(?:\d{4})+$)/g, ' ')
}

/** Programs run as nobody: YORI is told from them by its user, and some will not run as root. */
const NOBODY = 65_534
const RUN_MS = 180_000
const ENFORCE = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
}

export interface Filled {
  readonly passed: readonly boolean[]
  readonly rows: readonly Row[]
}

export class Matrix implements AsyncDisposable {
  readonly origin: AgentsOrigin
  readonly yori: Yori
  readonly #root: string
  readonly #folder: string
  readonly #endpoints: readonly { domain: string }[]

  private constructor(
    parts: { origin: AgentsOrigin; yori: Yori; folder: string; root: string },
    endpoints: readonly { domain: string }[],
  ) {
    this.origin = parts.origin
    this.yori = parts.yori
    this.#folder = parts.folder
    this.#root = parts.root
    this.#endpoints = endpoints
  }

  static async start(root: string, agents: readonly Agent[]): Promise<Matrix> {
    const origin = await AgentsOrigin.start({
      host: FAR,
      port: 443,
      onlyHttp1: [],
      onlyH2: [],
    })
    const hosts = [...new Set(agents.flatMap(({ hosts: all }) => all))]
    const endpoints = hosts.map((domain) => ({ domain, route: 'intercept' }))
    const yori = await Yori.start({
      trust: [origin.ca],
      config: { endpoints, ca: { permitted: [MCP] } },
    })
    const folder = mkdtempSync(join(tmpdir(), 'yori-agents-'))
    chmodSync(folder, 0o755)
    trustedBy(folder, [origin.ca.certificatePem, yori.rootPem])
    return new Matrix({ origin, yori, folder, root }, endpoints)
  }

  async try(agent: Agent): Promise<Outcome> {
    lead(undefined)
    const direct = await this.#run(agent, HARMLESS)
    lead(this.yori.port)
    await this.yori.reload({ mode: 'observe', endpoints: this.#endpoints })
    const observed = await this.#watched(agent, HARMLESS)
    await this.yori.reload({ ...ENFORCE, endpoints: this.#endpoints })
    const enforced = await this.#watched(agent, HARMLESS)
    const blocked = await this.#watched(agent, bad(agent.name))
    return {
      direct,
      observed: observed.ran,
      enforced: enforced.ran,
      blocked: blocked.ran,
      rows: { observed: observed.rows, enforced: enforced.rows, blocked: blocked.rows },
    }
  }

  /**
   * The same prompt `runs` times, with a quota of `perHour` calls to a model: whether each came
   * through, and the rows of all.
   */
  async fill(agent: Agent, perHour: number, runs: number): Promise<Filled> {
    lead(this.yori.port)
    const params = { per_hour: perHour, peak_per_hour: perHour }
    const files = { hourly_quota: { action: 'block', params } }
    const policies = { files }
    await this.yori.reload({ ...ENFORCE, policies, endpoints: this.#endpoints })
    const passed: boolean[] = []
    for (let n = 0; n < runs; n++) {
      const { status, stdout } = await this.#run(agent, `${HARMLESS} (${n})`)
      passed.push(status === 0 && stdout.toString().includes(ANSWER))
    }
    return { passed, rows: await this.yori.rows('audit_events') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.yori[Symbol.asyncDispose]()
    await this.origin[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #watched(agent: Agent, prompt: string) {
    const before = await this.yori.rows('audit_events')
    const ran = await this.#run(agent, prompt)
    const after = await this.yori.rows('audit_events')
    return { ran, rows: after.slice(before.length) }
  }

  #run(agent: Agent, prompt: string): Promise<Ran> {
    const home = mkdtempSync(join(this.#folder, 'home-'))
    const roots = join(this.#folder, 'roots.pem')
    const keyStore = join(this.#folder, 'roots.p12')
    const place: Place = { root: this.#root, home, roots, keyStore }
    const { program, args, env } = agent.command(prompt, place)
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, home])
    const as = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
    return runProgram('setpriv', [...as, program, ...args], {
      timeoutMs: RUN_MS,
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        TMPDIR: home,
        LANG: 'C.UTF-8',
        NODE_EXTRA_CA_CERTS: roots,
        SSL_CERT_FILE: roots,
        CURL_CA_BUNDLE: roots,
        REQUESTS_CA_BUNDLE: roots,
        GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots,
        ...env,
      },
    })
  }
}

/** As PEM, and as a key store where there is a Java. */
function trustedBy(folder: string, roots: readonly string[]): void {
  writeFileSync(join(folder, 'roots.pem'), roots.join(''))
  roots.forEach((pem, index) => {
    const file = join(folder, `root-${index}.pem`)
    writeFileSync(file, pem)
    spawnSync('keytool', [
      ...['-importcert', '-noprompt', '-alias', `root-${index}`, '-file', file],
      ...['-keystore', join(folder, 'roots.p12'), '-storepass', 'changeit'],
    ])
  })
}

/** What is dialled at `FAR` goes to a port of this machine. */
function lead(port: number | undefined): void {
  const table = 'yori_agents'
  const rules = [
    `table ip ${table} {}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    'chain out { type nat hook output priority -100;',
    // Not what YORI itself dials.
    `meta skuid ${NOBODY} ip daddr ${FAR} tcp dport 443 redirect to :${port}`,
    '}',
    '}',
    '',
  ]
  const input = (port === undefined ? rules.slice(0, 2) : rules).join('\n')
  execFileSync('nft', ['-f', '-'], { input: `${input}\n` })
}
