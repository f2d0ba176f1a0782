/** `yori ca trust-check`: is this machine led through YORI, and does it trust it? */
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Command } from 'commander'
import { systemRootsAt } from '../../../../ca/export.js'
import { findCa } from '../../../../ca/show-ca.js'
import { unreachable } from '../../../core/unreachable.js'
import { printable } from '../../../audit/printable.js'
import { selfTest } from '../../../doctor/self-test-client.js'
import type { SelfTestResult } from '../../../doctor/self-test-client.js'
import { common, printJson } from './ca-shared.js'
import type { CaCommandDeps, CommonFlags } from './ca-shared.js'

interface TrustCheckFlags extends CommonFlags {
  readonly name?: string
  readonly proxy?: string
  readonly direct?: true
  readonly site?: string
  readonly cacert?: string
  readonly next?: true
}

export interface TrustCheckDeps extends CaCommandDeps {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where YORI listens, as the configuration says: `http://host:port`. */
  readonly proxyUrl?: (configPath: string | undefined) => string
  exit?(code: number): void
}

const TIMEOUT_MS = 10_000

export function addTrustCheck(ca: Command, deps: TrustCheckDeps): void {
  common(ca.command('trust-check'))
    .description('is this machine led through YORI, and does it trust it?')
    .option('--name <host>', 'the endpoint that is asked for; the first one unless given')
    .option('--proxy <url>', 'by this proxy; HTTPS_PROXY unless given, else directly')
    .option('--direct', 'by no proxy, as a device on the network')
    .option('--site <url>', 'where YORI’s own site is, when not as configured')
    .option('--cacert <file>', 'the roots to trust instead of this machine’s')
    .option('--next', 'test the staged root')
    .action((flags: TrustCheckFlags) => trustCheck(deps, flags))
}

async function trustCheck(deps: TrustCheckDeps, flags: TrustCheckFlags): Promise<void> {
  const options = await deps.caOptions(flags.config)
  const env = deps.env ?? process.env
  const site = flags.site ?? deps.proxyUrl?.(flags.config)
  const begun = site === undefined ? undefined : await begin(site, flags.next === true)
  if (flags.next === true && begun?.name === undefined) {
    const reason = begun?.says ?? `YORI’s own site did not answer at ${site ?? '?'}.`
    if (flags.json === true) printJson(deps, { works: false, kind: 'not-tested', reason })
    else deps.print(`${printable(reason)}\n`)
    ;(deps.exit ?? setExitCode)(1)
    return
  }
  const first = options.issuedNames.find((name) => !name.startsWith('*.'))
  const name = flags.name ?? begun?.name ?? first ?? 'api.openai.com'
  const fromEnv = env['HTTPS_PROXY'] ?? env['https_proxy']
  const given = flags.proxy ?? (fromEnv === '' ? undefined : fromEnv)
  const proxy = flags.direct === true ? undefined : given
  const { roots, from } = await rootsOf(flags, env)
  const result = await selfTest({ name, proxy, roots, timeoutMs: TIMEOUT_MS })
  const ca = await findCa(options.directory, deps.clock).catch(() => undefined)
  const own = (flags.next === true ? ca?.next : ca?.root)?.x509.fingerprint256
  const isOther = result.kind === 'works' && own !== undefined && own !== result.root
  const works = result.kind === 'works' && !isOther
  if (flags.json === true) {
    printJson(deps, { works, name, proxy: proxy ?? null, roots: from, ...result })
  } else {
    const way =
      proxy === undefined ? 'directly' : `by the proxy ${withoutPassword(proxy)}`
    deps.print(
      `Asked for ${printable(name)} ${printable(way)}, with the roots of ${printable(from)}.\n`,
    )
    if (begun === undefined)
      deps.print(
        `YORI’s own site did not answer${site === undefined ? '' : ` at ${printable(site)}`}: is it running?\n`,
      )
    else if (begun.says !== undefined) deps.print(`${printable(begun.says)}\n`)
    deps.print(`${printable(says(result, isOther))}\n`)
  }
  if (!works) (deps.exit ?? setExitCode)(1)
}

function says(result: SelfTestResult, isOther: boolean): string {
  switch (result.kind) {
    case 'works':
      return isOther
        ? `Another YORI answered, under the root ${result.root}.`
        : `It works: this machine is led through YORI and trusts it (root ${result.root}).`
    case 'untrusted':
      return `Not trusted (${result.reason}): the certificate is by ${result.issuer}. If that is YORI: \`yori ca export --install\`, or \`yori exec -- COMMAND\` for one program.`
    case 'not-led':
      return `Not led through YORI: somebody else answered, by a certificate of ${result.issuer}. \`yori exec -- yori ca trust-check\` goes by the proxy.`
    case 'unreachable':
      return `No answer: ${result.reason}.`
    default:
      return unreachable(result)
  }
}

interface Begun {
  readonly name?: string
  readonly says?: string
}

/** Tells YORI that a test comes, so that it does not leave alone whom it once turned away. */
function begin(site: string, next: boolean): Promise<Begun | undefined> {
  return new Promise((resolve) => {
    const none = (): void => resolve(undefined)
    const path = `/trust/again${next ? '?root=next' : ''}`
    const asked = request(new URL(path, site), { method: 'POST', timeout: TIMEOUT_MS })
    asked.setHeader('accept', 'application/json')
    asked.once('timeout', () => asked.destroy())
    asked.once('error', none)
    asked.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text = (text + piece).slice(0, 4_096)
      })
      response.once('error', none)
      response.once('end', () => resolve(begunOf(text)))
    })
    asked.end()
  })
}

function begunOf(text: string): Begun | undefined {
  try {
    const { url, says } = JSON.parse(text) as { url?: unknown; says?: unknown }
    return {
      ...(typeof url === 'string' ? { name: new URL(url).hostname } : {}),
      ...(typeof says === 'string' ? { says } : {}),
    }
  } catch {
    return undefined
  }
}

/** As programs choose: a file that is named, the variables of OpenSSL and Node, the system's. */
async function rootsOf(
  flags: TrustCheckFlags,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ roots: string; from: string }> {
  const named = flags.cacert ?? env['SSL_CERT_FILE']
  const extra = env['NODE_EXTRA_CA_CERTS']
  if (named !== undefined && named !== '')
    return { roots: await readFile(named, 'utf8'), from: named }
  const system = await systemRootsAt()
  if (extra === undefined || extra === '') return { roots: system.pem, from: system.path }
  const added = await readFile(extra, 'utf8').catch(() => '')
  return { roots: `${system.pem}\n${added}`, from: `${system.path} and ${extra}` }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

function setExitCode(code: number): void {
  process.exitCode = code
}
