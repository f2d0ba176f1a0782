/** Answers that are given again to who asks the same again. */
import { count, flag, KiB, MiB, seconds, section, size } from './schema-parts.js'

export const cacheSchema = section(
  'Answers of /llm/NAME that are kept for the same client with the same request, where that is ' +
    'deterministic: `temperature: 0`, or embeddings. A reload empties it.',
  {
    enabled: flag(false, 'Keep them.'),
    ttl: seconds({ default: 3600, description: 'How long one is given again.' }),
    entries: count({
      default: 1000,
      maximum: 1_000_000,
      description: 'Answers at most; the one that was used longest ago goes.',
    }),
    bytes: size({
      default: 64 * MiB,
      minimum: 64 * KiB,
      maximum: 4096 * MiB,
      description: 'Of all answers together, in memory; the same holds.',
    }),
    answer_bytes: size({
      default: 1 * MiB,
      minimum: 1 * KiB,
      maximum: 64 * MiB,
      description: 'Of one answer; a longer one is not kept.',
    }),
    request_bytes: size({
      default: 256 * KiB,
      minimum: 64 * KiB,
      maximum: 1 * MiB,
      description:
        'Of one request, which is read whole before it goes up; a longer one, or one of unknown ' +
        'length, is sent as ever.',
    }),
  },
)
