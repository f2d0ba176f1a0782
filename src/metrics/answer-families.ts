/** What became of requests that may be answered out of the cache, and how much it holds. */
import type { AnswerCache } from '../pools/answer-cache.js'
import { noAnswerCounts } from '../pools/answer-cache.js'
import { looked } from './instruments.js'
import type { Family } from './instruments.js'

/** Undefined: none are kept. */
export function answerFamilies(cache: AnswerCache | undefined): Family[] {
  const counts = cache?.counts ?? noAnswerCounts()
  return [
    looked(
      'counter',
      'yori_answer_cache_requests_total',
      'Requests that may be answered out of the cache, by whether they were.',
      [
        [{ outcome: 'hit' }, counts.hits],
        [{ outcome: 'miss' }, counts.misses],
      ],
    ),
    looked(
      'counter',
      'yori_answer_cache_kept_total',
      'Answers that were kept.',
      counts.kept,
    ),
    looked(
      'counter',
      'yori_answer_cache_evicted_total',
      'Kept answers that had to go for newer ones.',
      counts.evicted,
    ),
    looked(
      'counter',
      'yori_answer_cache_too_large_total',
      'Answers that were not kept for their length.',
      counts.tooLarge,
    ),
    looked(
      'gauge',
      'yori_answer_cache_entries',
      'Answers that are kept.',
      cache?.size ?? 0,
    ),
    looked(
      'gauge',
      'yori_answer_cache_bytes',
      'Bytes of answers that are kept.',
      cache?.bytes ?? 0,
    ),
  ]
}
