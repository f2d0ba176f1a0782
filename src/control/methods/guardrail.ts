/**
 * YORI as a guardrail for other gateways, in the shape of LiteLLM's generic one: texts come, and
 * what the policies make of them goes back. Nothing of it is recorded, and nothing counts.
 */
import { randomUUID } from 'node:crypto'
import { inSlices } from '../../core/resting.js'
import type { Decision } from '../../policy/engine.js'
import type { Decider, DecisionFacts } from '../../policy/decider.js'
import { Placeholders } from '../../placeholders/placeholders.js'
import { BodyTextReader } from '../../providers/body-text.js'
import { BodyRedaction } from '../../proxy/judging/redact-body.js'
import { saidOf, SAID_LIMITS } from '../../proxy/reading/said.js'
import { Refusal, badRequest, json } from '../answer.js'
import type { Handler } from '../method.js'

const MAX_TEXTS = 10_000

export const guardrail: Handler = async ({ body, caller, on }) => {
  const { texts, model, isRequest } = questionIn(body)
  const decider = on.port.appliance.current.services.decider as Decider
  // What a model answered is for the redaction of whoever asked; policies judge requests.
  if (!isRequest || texts.length === 0)
    return json({ action: 'NONE', blocked_reason: null })
  const asked = { model, messages: texts.map((content) => ({ role: 'user', content })) }
  const bytes = Buffer.from(JSON.stringify(asked))
  const { detector } = decider
  const requestId = randomUUID()
  const redaction = new BodyRedaction({ kind: 'whole', bytes }, [], () => ({
    detector,
    placeholders: new Placeholders(decider.markKey, requestId),
  }))
  const reader = new BodyTextReader()
  await inSlices(reader.read(asked))
  const { units } = reader.end()
  const said = await inSlices(saidOf(units, undefined, { ...SAID_LIMITS, detector }))
  if (said === undefined) throw new Refusal(413, 'too_large', 'too much to be looked at')
  const prompt = texts.join('\n')
  const facts: DecisionFacts = {
    ...{ requestId, method: 'POST', path: '/v1/chat/completions', rawHeaders: [] },
    ...{ body: asked, bodyState: 'whole', device: { ip: caller.ip ?? '127.0.0.1' } },
    ...{ userAgent: undefined, endpoint: 'guardrail', provider: undefined, model },
    ...{
      prompt,
      promptChars: prompt.length,
      toolsOffered: undefined,
      session: undefined,
    },
    ...{ call: true, findings: said.findings, said, inputPrice: undefined },
    uninspectable: undefined,
    redact: redaction.redact,
  }
  return json(answerOf(await decider.decide(facts), redaction, texts))
}

function answerOf(
  { enforce, policy, reason }: Decision,
  redaction: BodyRedaction,
  texts: readonly string[],
): object {
  if (enforce)
    return {
      action: 'BLOCKED',
      blocked_reason: `policy ${policy ?? ''}: ${reason ?? ''}`,
    }
  if (redaction.body === undefined) return { action: 'NONE', blocked_reason: null }
  const { messages } = JSON.parse(redaction.body.bytes.toString()) as {
    messages?: { content?: unknown }[]
  }
  const left = (messages ?? []).map(({ content }) => content)
  // A policy that gave another body than this one's shape cannot be put back into texts.
  if (left.length !== texts.length || !left.every((text) => typeof text === 'string'))
    return {
      action: 'BLOCKED',
      blocked_reason: 'what is to be taken out of it cannot be',
    }
  return { action: 'GUARDRAIL_INTERVENED', blocked_reason: null, texts: left }
}

interface Question {
  readonly texts: readonly string[]
  readonly model: string | undefined
  readonly isRequest: boolean
}

/** @throws Refusal 400 */
function questionIn(body: unknown): Question {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const asked = (isObject ? body : {}) as Record<string, unknown>
  const { texts = [], input_type: type = 'request', model, request_data: data } = asked
  const isList =
    Array.isArray(texts) &&
    texts.length <= MAX_TEXTS &&
    texts.every((text) => typeof text === 'string')
  if (!isObject || !isList)
    throw badRequest(`{"texts": [...]} is expected, of at most ${MAX_TEXTS}`)
  if (type !== 'request' && type !== 'response')
    throw badRequest('input_type is request or response')
  const named = model ?? (data as { model?: unknown } | null | undefined)?.model
  return {
    texts,
    model: typeof named === 'string' ? named.slice(0, 256) : undefined,
    isRequest: type === 'request',
  }
}
