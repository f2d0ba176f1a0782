/**
 * What the key of ours is good for that a request came with, asked once its body has been read.
 * Its budget is asked beside what is in flight, with the policies: `decision.ts`.
 */
import type { AccessRefusal, KeyHolder } from '../../policy/access-gate.js'
import type { Decision } from '../../policy/engine.js'
import { mostTokens } from '../../providers/most-tokens.js'
import type { Content } from '../words/content.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { JudgingPort } from './port.js'

/** In the place of a policy's name, where one is shown. */
const ACCESS = 'access_key'

/** No policy was there to be asked, and the key allows it. */
export const UNASKED: Decision = {
  enforce: false,
  effect: 'allow',
  verdict: 'allow',
  policy: undefined,
  reason: undefined,
  message: undefined,
  bypass: undefined,
  blockers: [],
  spent: [],
  wantsRedaction: false,
  redactsWords: false,
  redacted: undefined,
  deviceName: undefined,
  durationMs: 0,
  others: [],
  failed: [],
}

export function refusedBy(refusal: AccessRefusal): Decision {
  const { detail: reason } = refusal
  const told = { effect: 'block', verdict: 'deny', policy: ACCESS, reason } as const
  return { ...UNASKED, ...told, enforce: true, refusal }
}

/** What nobody need wait for: the model, and the tokens of a minute. */
export function refusedAtOnce(
  keys: Pick<JudgingPort['keys'], 'model' | 'tokens'>,
  { log, holder }: { readonly log: ExchangeLog; readonly holder: KeyHolder },
  content: Content,
): Decision | undefined {
  const { record } = log
  const { requestId, api } = record
  const { model, modelsNamed, promptChars, uninspectable } = content
  const isWork = worksFor(record)
  const refused =
    (content.namesModelLater === true
      ? undefined
      : keys.model(holder, {
          requestId,
          models: modelsNamed ?? (model === undefined ? [] : [model]),
          isWork,
          isWhole: uninspectable === undefined,
        })) ??
    (isWork
      ? keys.tokens(holder, requestId, mostTokens({ api, promptChars }).inputTokens)
      : undefined)
  return refused === undefined ? undefined : refusedBy(refused)
}

/** Does a model work for it, or for what it leads to? Unless its head says no, it may. */
function worksFor({ call, api, method }: ExchangeLog['record']): boolean {
  if (call !== undefined) return call || api === 'session' || api === 'realtime'
  return method !== 'GET' && method !== 'HEAD' && method !== 'DELETE'
}
