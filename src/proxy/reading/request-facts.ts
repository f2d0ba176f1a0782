/** What readers of requests share: facts by a provider's reader, names as they are compared. */
import type { LongTexts } from '../../core/long-text.js'
import type { Resting } from '../../core/resting.js'
import type { Uninspectable } from '../../core/record.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import type { BodyText } from '../../providers/body-text.js'
import type { Recognised } from '../../providers/index.js'
import { modelsInPath } from '../../providers/named-in-body.js'
import type { NamedInBody } from '../../providers/named-in-body.js'
import { plainName, plainNames, plainNamesAtOnce } from '../../providers/offered-tools.js'
import type { RequestFacts } from '../../providers/provider.js'
import { withNamesOf } from '../../providers/request.js'
import type { Content, OwnContent } from '../words/content.js'
import type { RequestCopy } from './request-copy.js'

export interface RequestRead {
  readonly facts: RequestFacts
  /** The reader's own. */
  readonly content: OwnContent
  /** Why the record cannot be sure of it. */
  readonly unread: Uninspectable | undefined
  /** All text of it; undefined where nobody asked. */
  readonly text: BodyText | undefined
  /** Who is spoken to, where host and path did not tell, and the body does. */
  readonly shaped?: Recognised | undefined
}

export interface RequestOptions {
  readonly json: JsonLimits
  /** Somebody looks at its text. */
  readonly wantsText: boolean
  /** False: nobody minds a key that stands twice further down; `Content.unstructured`. */
  readonly mindsStructure?: boolean
}

/** `long`: of the values that are built of it. */
export type Copy = RequestCopy & { readonly long: LongTexts }

export function factsOf(
  { provider, api }: Recognised,
  { path, long }: Copy,
  body: unknown,
): RequestFacts {
  return long.during(() => provider.readRequest(body, { api, path }))
}

/** The same of what may be long. */
export function factsInSlices(
  { provider, api }: Recognised,
  { path, long }: Copy,
  body: unknown,
): Resting<RequestFacts> {
  return long.throughout(provider.requestInSlices(body, { api, path }))
}

/** Names as policies compare them. */
export function* withNames(
  facts: RequestFacts,
  { path }: Pick<Copy, 'path'>,
  named: NamedInBody,
): Resting<RequestFacts> {
  const { tools, models } = namesIn(facts, path, named)
  return withNamesOf(facts, {
    model: facts.model === undefined ? undefined : plainName(facts.model),
    toolsOffered: yield* plainNames(tools),
    modelsNamed: yield* plainNames(models),
  })
}

/** The same of few. */
export function withNamesAtOnce(
  facts: RequestFacts,
  { path }: Pick<Copy, 'path'>,
  named: NamedInBody,
): RequestFacts {
  const { tools, models } = namesIn(facts, path, named)
  return withNamesOf(facts, {
    model: facts.model === undefined ? undefined : plainName(facts.model),
    toolsOffered: plainNamesAtOnce(tools),
    modelsNamed: plainNamesAtOnce(models),
  })
}

function namesIn(
  { model, toolsOffered }: RequestFacts,
  path: string,
  named: NamedInBody,
): { readonly tools: readonly string[]; readonly models: readonly string[] } {
  const models = model === undefined ? [] : [model]
  for (const name of modelsInPath(path)) models.push(name)
  for (const name of named.models) models.push(name)
  if (named.tools.size === 0) return { tools: toolsOffered, models }
  return { tools: [...toolsOffered, ...named.tools], models }
}

export function about(
  facts: RequestFacts,
): Pick<Content, 'model' | 'modelsNamed' | 'prompt' | 'promptChars'> &
  Pick<Content, 'toolsOffered' | 'maxTokens' | 'choices' | 'tier'> {
  const { model, modelsNamed, promptText: prompt, promptChars, toolsOffered } = facts
  const { maxTokens, choices, tier } = facts
  return {
    ...{ model, modelsNamed, prompt, promptChars, toolsOffered },
    ...{ maxTokens, choices, tier },
  }
}
