/** What a file of detection rules may say. Pure. */
import type { FromSchema, NumberNode } from './from-schema.js'
import { choice, item, list, text } from './schema-parts.js'

const share = <const D extends string>(description: D) =>
  ({ type: 'number', minimum: 0, maximum: 1, description }) as const satisfies NumberNode

const words = (description: string) =>
  list({
    maxItems: 100,
    default: [],
    items: text({ maxLength: 200, description: 'Literal.' }),
    description,
  })

const ruleItem = item(
  'One rule.',
  ['id', 'kind', 'confidence', 'example', 'near', 'source'],
  {
    id: text({
      maxLength: 64,
      description: 'Its own name: a later rule replaces the earlier.',
    }),
    class: choice({
      enum: ['secret', 'pii', 'injection'],
      description: 'Which policy it is for; pii unless set.',
    }),
    by: choice({
      enum: ['prefix', 'anchor', 'named', 'form', 'phrase'],
      description: 'How it is found; form unless set.',
    }),
    kind: text({ maxLength: 64, description: 'What policies and the record call it.' }),
    confidence: share('How sure it is by itself; policies act from 0.5 on.'),
    said: share('How sure beside one of the words of context.'),
    alone: share('How sure where nothing else is in the text.'),
    prefixes: words('by: prefix. What it begins with.'),
    anchor: text({ maxLength: 64, description: 'by: anchor. What stands in it.' }),
    back: {
      type: 'integer',
      minimum: 0,
      maximum: 200,
      description: 'by: anchor. Characters before that, at the most.',
    },
    names: words('by: named. Words of the name that it is given.'),
    body: text({
      maxLength: 512,
      description:
        'What follows (prefix), all of it (anchor), the value (named): characters, classes, ' +
        'choices of literals, each with {n} or {n,m}.',
    }),
    entropy: {
      type: 'number',
      minimum: 0,
      maximum: 8,
      description: 'Bits a character of the body at the least; 2.5 unless set.',
    },
    forms: words('by: form. Groups of d (digit), A (letter), x (either).'),
    between: text({
      maxLength: 8,
      description: 'by: form. What a blank of a form stands for.',
    }),
    steps: list({
      maxItems: 8,
      default: [],
      items: text({ description: 'Words, a blank between.' }),
      description:
        'by: phrase. Each step is one of its words; word* is any that begins so.',
    }),
    gap: {
      type: 'integer',
      minimum: 0,
      maximum: 40,
      description: 'by: phrase. Words that may stand between two steps; 4 unless set.',
    },
    unless: text({ description: 'by: phrase. Words that may not follow.' }),
    tool: share('by: phrase. How sure in what a tool gave.'),
    check: text({ maxLength: 64, description: 'A checker of check digits, by name.' }),
    context: words('Words beside it that speak of it.'),
    example: text({ maxLength: 512, description: 'A text in which it is found.' }),
    near: text({ maxLength: 512, description: 'One that looks like it and is none.' }),
    source: text({ maxLength: 200, description: 'Who published the form.' }),
  },
)

export const detectSchema = item('Detection rules.', ['rules'], {
  rules: list({
    maxItems: 2000,
    default: [],
    uniqueBy: 'id',
    items: ruleItem,
    description: 'Later ones replace earlier ones of the same id.',
  }),
})

export type DetectFile = FromSchema<typeof detectSchema>
export type RuleItem = FromSchema<typeof ruleItem>
