// Usage: tsx tools/check/secrets.ts   (or node dist/tools/check/secrets.js)
// Looks through the project's files for private keys, keys of known services, and tokens
// too random to be words. Exit 1 when one is found. Linear in the size of the text.
import { isProgram, projectFiles, report } from './finding.js'
import type { Finding, TextFile } from './finding.js'

/** Fixed beginnings and lengths, so that no pattern can back-track. */
const KEY_SHAPES: readonly (readonly [string, RegExp])[] = [
  ['Anthropic key', /\bsk-ant-[\w-]{24}/],
  ['OpenAI key', /\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_]{32}/],
  ['Google key', /\bAIza[\w-]{35}/],
  ['AWS key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40})/],
  ['GitLab token', /\bglpat-[\w-]{20}/],
  ['Slack token', /\bxox[abprs]-[\w-]{20}/],
  ['Hugging Face token', /\bhf_[A-Za-z0-9]{30}/],
  ['Groq key', /\bgsk_[A-Za-z0-9]{40}/],
  ['xAI key', /\bxai-[A-Za-z0-9]{40}/],
  ['npm token', /\bnpm_[A-Za-z0-9]{36}/],
  ['Stripe key', /\b[rs]k_live_[A-Za-z0-9]{20}/],
]

/** With its content: the line alone stands in any code that reads or writes such files. */
const PRIVATE_KEY =
  /-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY-----(?:\\[nr]|[\s"'`+,]){1,40}(?:Proc-Type:|[A-Za-z0-9+/=]{32})/g

const MIN_TOKEN_LENGTH = 32
const MIN_ENTROPY_BITS = 4.4
const MAX_LINE_SCANNED = 100_000

interface Allowance {
  readonly path: string
  readonly kind: string
  readonly reason: string
}

/** A path ending in `/` stands for the folder. */
const ALLOWED: readonly Allowance[] = [
  { path: 'package-lock.json', kind: 'random token', reason: 'package checksums' },
  {
    path: 'test/fixtures/',
    kind: 'random token',
    reason: 'recorded bytes in base64; keys of services are still refused there',
  },
  {
    path: 'config/detect/secrets.yaml',
    kind: 'random token',
    reason: 'beginnings that services publish; whole keys of theirs are still refused',
  },
  {
    path: 'test/rego/builtins/jwt.test.ts',
    kind: 'random token',
    reason: 'the published examples of RFC 7515 and RFC 8037',
  },
  {
    path: 'test/rego/builtins/aws.test.ts',
    kind: 'AWS key',
    reason: "the example key of Amazon's own documentation",
  },
]

/** Findings name the place and the kind, never the text. */
export function findSecrets(files: readonly TextFile[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    const findings = [...text.matchAll(PRIVATE_KEY)].map(({ index }) => ({
      where: `${path}:${text.slice(0, index).split('\n').length}`,
      what: 'private key',
    }))
    let certificate = false
    for (const [index, line] of text.split('\n').entries()) {
      if (line.includes('-----BEGIN CERTIFICATE-----')) certificate = true
      for (const kind of certificate ? [] : secretsIn(line.slice(0, MAX_LINE_SCANNED))) {
        if (!isAllowed(path, kind))
          findings.push({ where: `${path}:${index + 1}`, what: kind })
      }
      if (line.includes('-----END CERTIFICATE-----')) certificate = false
    }
    return findings
  })
}

function secretsIn(line: string): string[] {
  const kinds = KEY_SHAPES.filter(([, shape]) => shape.test(line)).map(([kind]) => kind)
  if (kinds.length === 0 && line.split(/[^\w+/=-]/).some(looksRandom)) {
    return ['random token']
  }
  return kinds
}

/** Long, of three kinds of character, and near the entropy of random base64. */
function looksRandom(token: string): boolean {
  if (token.length < MIN_TOKEN_LENGTH) return false
  if (!/[a-z]/.test(token) || !/[A-Z]/.test(token) || !/[0-9]/.test(token)) return false
  if (token.includes('/') && !token.includes('+') && !token.endsWith('=')) {
    return token.split('/').some(looksRandom) // a path: judge its parts
  }
  return entropyBits(token) >= MIN_ENTROPY_BITS && digitChanges(token) >= 5
}

function entropyBits(token: string): number {
  const counts = new Map<string, number>()
  for (const character of token) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) {
    const share = count / token.length
    bits -= share * Math.log2(share)
  }
  return bits
}

/** How often digits and letters change places: seldom in names, often in random text. */
function digitChanges(token: string): number {
  let changes = 0
  for (let i = 1; i < token.length; i++) {
    if (isDigit(token.charCodeAt(i)) !== isDigit(token.charCodeAt(i - 1))) changes++
  }
  return changes
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

function isAllowed(path: string, kind: string): boolean {
  return ALLOWED.some(
    (each) =>
      each.kind === kind &&
      (each.path.endsWith('/') ? path.startsWith(each.path) : path === each.path),
  )
}

if (isProgram(import.meta.url)) {
  const files = projectFiles()
  report(`secrets in ${files.length} files`, findSecrets(files))
}
