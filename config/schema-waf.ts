/** A firewall for what is asked of models: OWASP Core Rule Set, in a process of its own. */
import { choice, count, flag, item, list, section, size, text } from './schema-parts.js'
import { KiB, MiB } from './schema-parts.js'
import { processorRoute } from './schema-processors.js'

const CODE_ARGUMENTS: readonly string[] = [
  ...['command', 'cmd', 'commands', 'script', 'code', 'source', 'content', 'contents'],
  ...['file_text', 'new_str', 'old_str', 'new_string', 'old_string', 'insert_text'],
  ...['patch', 'diff', 'edits', 'regex', 'pattern', 'sql', 'function', 'new_source'],
  ...['old_text', 'new_text', 'patch_text', 'code_edit', 'apply_patch', 'chars'],
  ...['description', 'explanation', 'justification', 'instruction', 'instructions'],
  ...['prompt', 'question', 'text', 'body', 'message', 'title', 'thought', 'fact'],
  ...['todos', 'plan', 'observations'],
]

const exclusion = item('What a rule is not to look at.', ['rule', 'reason', 'until'], {
  route: text({
    format: 'waf-route',
    description: 'A host, the beginning of a path, or both; everywhere unless set.',
  }),
  rule: text({
    format: 'waf-rule',
    description: 'The number of a rule, or a tag of rules, such as attack-sqli.',
  }),
  argument: text({
    format: 'waf-argument',
    description:
      'Where it is not to look, as a row says it: ARGS:q, REQUEST_HEADERS:referer. Nowhere ' +
      'in the request unless set.',
  }),
  reason: text({ maxLength: 300, description: 'Why, for whoever reads it later.' }),
  until: text({
    format: 'date',
    description: 'The last day on which it holds, by UTC.',
  }),
})

export const wafSchema = section(
  'A firewall: OWASP Core Rule Set beside the proxy, fitted to what is asked of models.',
  {
    enabled: flag(false, 'It is started, and asked about requests.'),
    rules: text({
      format: 'path',
      default: '/usr/share/modsecurity-crs',
      description: 'A folder of the OWASP Core Rule Set, version 3 or 4.',
    }),
    action: choice({
      enum: ['allow', 'alert', 'block'],
      default: 'block',
      description: 'The most that its word may lead to.',
    }),
    fail_mode: choice({
      enum: ['open', 'closed'],
      default: 'open',
      description: 'Where it does not answer: go on, or block.',
    }),
    timeout_ms: {
      type: 'integer',
      unit: 'ms',
      minimum: 10,
      maximum: 60_000,
      description: 'The longest wait for it; `timeouts.processor` unless set.',
    },
    routes: list({
      items: processorRoute,
      maxItems: 256,
      default: [],
      description: 'Which exchanges it looks at, any of these; none: all.',
    }),
    headers: list({
      items: text({ format: 'header-name', description: 'A field, or a parameter.' }),
      maxItems: 64,
      default: [],
      uniqueBy: '',
      description: 'Credentials that it is shown, such as cookie; it is shown no others.',
    }),
    paranoia: count({
      default: 1,
      maximum: 4,
      description:
        'The paranoia level of the rules: more of them, and more that is harmless.',
    }),
    threshold: count({
      default: 5,
      maximum: 1000,
      description: 'It objects from this anomaly score on; a critical rule counts 5.',
    }),
    text_bytes: size({
      default: 16 * KiB,
      minimum: 1 * KiB,
      maximum: 1 * MiB,
      description:
        'Of prompts and other text: so much of the beginning, and of the end, before the ' +
        'answer. The rest is scored afterwards.',
    }),
    later_bytes: size({
      default: 256 * KiB,
      minimum: 1 * KiB,
      maximum: 16 * MiB,
      description: 'Of text that is scored afterwards; what is beyond is not looked at.',
    }),
    body_bytes: size({
      default: 8 * MiB,
      maximum: 64 * MiB,
      description: 'Of one body that it is shown; of a longer one its beginning.',
    }),
    memory_bytes: size({
      default: 256 * MiB,
      minimum: 96 * MiB,
      maximum: 4096 * MiB,
      description: 'Memory of its process; beyond it it ends, and is started again.',
    }),
    code_arguments: list({
      items: text({ maxLength: 64, description: 'The name of an argument.' }),
      maxItems: 256,
      default: CODE_ARGUMENTS,
      uniqueBy: '',
      description:
        'Arguments of tools, or tools, that are code or prose by their nature: they give a ' +
        'score, as prompts do, and no block. Letters of either case, `_` and `-` do not count.',
    }),
    exclusions: list({
      items: exclusion,
      maxItems: 500,
      default: [],
      description: 'What rules are not to look at, each with a reason and an end.',
    }),
  },
)
