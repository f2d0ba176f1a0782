/** How many answers are kept for who asks the same again. */
import type { Config } from '../../../config/schema.js'
import type { AnswerCacheLimits } from '../../pools/answer-cache.js'
import { milliseconds } from './milliseconds.js'

export function answerLimitsOf(cache: Config['gateway']['cache']): AnswerCacheLimits {
  return {
    entries: cache.entries,
    bytes: cache.bytes,
    answerBytes: cache.answer_bytes,
    requestBytes: cache.request_bytes,
    ttlMs: milliseconds(cache.ttl),
  }
}
