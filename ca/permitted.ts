/**
 * Names as subtrees (RFC 5280 §4.2.1.10: a dNSName permits itself and everything below), which
 * of them are too wide for a CA that lives in a home, and the arithmetic on sets of them.
 * Pure. The names that every root permits are in `permitted-names.ts`.
 */
import { canonicalHostname } from '../src/core/hostname.js'

/**
 * The subtree that an endpoint pattern needs: `*.x` and `x` both need `x`. Undefined when it
 * is no host name.
 */
export function subtreeOf(pattern: string): string | undefined {
  return canonicalHostname(pattern.startsWith('*.') ? pattern.slice(2) : pattern)
}

/** Of patterns; what is no host name (a bare address, say) can never be signed for. */
export function subtreesOf(patterns: readonly string[]): string[] {
  return normalSubtrees(patterns.flatMap((pattern) => subtreeOf(pattern) ?? []))
}

/** Does the name lie inside one of the subtrees? All are canonical. */
export function isWithin(name: string, subtrees: readonly string[]): boolean {
  return subtrees.some((subtree) => name === subtree || name.endsWith(`.${subtree}`))
}

/** `isWithin` for many questions: as long as the name has labels, however many subtrees. */
export class Subtrees {
  readonly #names: ReadonlySet<string>

  constructor(names: readonly string[]) {
    this.#names = new Set(names)
  }

  contains(name: string): boolean {
    for (let at = 0; ;) {
      if (this.#names.has(name.slice(at))) return true
      const dot = name.indexOf('.', at)
      if (dot === -1) return false
      at = dot + 1
    }
  }
}

/** Sorted, each once, and none that another one already contains. */
export function normalSubtrees(names: readonly string[]): string[] {
  const unique = [...new Set(names)].sort()
  const all = new Subtrees(unique)
  return unique.filter((name) => {
    const dot = name.indexOf('.')
    return dot === -1 || !all.contains(name.slice(dot + 1))
  })
}

export function sameSubtrees(a: readonly string[], b: readonly string[]): boolean {
  return normalSubtrees(a).join() === normalSubtrees(b).join()
}

/**
 * Why a CA must not permit a subtree; undefined when it may. Refused are names under which
 * anybody can get a host, and parents that carry far more than language models.
 */
export function tooWide(subtree: string): string | undefined {
  if (UNDELEGATED.has(subtree) || subtree === 'home.arpa') return undefined
  const labels = subtree.split('.')
  const [first = '', last = ''] = labels
  if (labels.length === 1) return 'it is a whole top-level domain'
  if (labels.length === 2 && last.length === 2 && SECOND_LEVEL.has(first))
    return 'it is a public suffix'
  if (PUBLIC_SUFFIXES.has(subtree)) return 'anybody can get a name below it'
  if (SHARED_PARENTS.has(subtree)) return 'it carries far more than language models'
  return undefined
}

/** Single labels that the public DNS will never delegate: RFC 6761, RFC 6762, ICANN. */
const UNDELEGATED = new Set(
  'localhost test internal local lan home corp localdomain intranet private'.split(' '),
)

/** As in co.uk, com.au, ne.jp. */
const SECOND_LEVEL = new Set(
  'ac co com edu gen go gob gouv gov gv in ltd me mil ne net nom nhs or org plc sch'.split(
    ' ',
  ),
)

const PUBLIC_SUFFIXES = new Set(
  `azure-api.net azureedge.net azurefd.net azurewebsites.net blob.core.windows.net
  cloudapp.azure.com cloudapp.net cloudfront.net compute.amazonaws.com deno.dev eu.org
  fly.dev github.io githubpreview.dev gitlab.io herokuapp.com hf.space in-addr.arpa ip6.arpa
  modal.run netlify.app ngrok.app ngrok.io ngrok-free.app onrender.com pages.dev proxy.runpod.net
  replit.app repl.co run.app s3.amazonaws.com trafficmanager.net trycloudflare.com ts.net
  uk.com us.com vercel.app web.app windows.net workers.dev`
    .split(/\s+/)
    .filter((name) => name !== ''),
)

const SHARED_PARENTS = new Set(
  `aliyun.com aliyuncs.com amazon.com amazonaws.com api.aws apple.com aws.amazon.com azure.com
  baidu.com baidubce.com bing.com cloud.google.com cloud.ibm.com cloudflare.com databricks.com
  facebook.com github.ai github.com githubusercontent.com google.com googleapis.com
  googleusercontent.com gstatic.com huggingface.co ibm.com icloud.com live.com meta.com microsoft.com
  microsoftonline.com nvidia.com office.com oraclecloud.com rep.googleapis.com salesforce.com
  snowflakecomputing.com tencent.com tencentcloudapi.com vercel.sh volces.com windows.com
  yandex.net yandex.ru youtube.com`
    .split(/\s+/)
    .filter((name) => name !== ''),
)
