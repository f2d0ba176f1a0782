/**
 * The two shapes in which guardrails are asked over HTTP: the generic guardrail of LiteLLM
 * (texts out, an action back), and the webhook of Portkey (the whole request out, a verdict
 * back). Pure.
 */
import { Texts } from './texts.js'
import { auditNote, plainText } from './verdict.js'
import type { Asked, Verdict } from './words.js'
import { NO_OBJECTION, ProcessorFailure } from './words.js'

export type GuardrailShape = 'litellm' | 'portkey'

export interface GuardrailQuestion {
  /** JSON. */
  readonly text: string
  /** @throws ProcessorFailure where the reply is none of the shape */
  readonly read: (reply: unknown) => Verdict
}

export function guardrailQuestion(
  shape: GuardrailShape,
  asked: Asked,
): GuardrailQuestion {
  return shape === 'litellm' ? ofLitellm(asked) : ofPortkey(asked)
}

function ofLitellm(asked: Asked): GuardrailQuestion {
  const { requestId, head } = asked
  const body = jsonOf(asked)
  const texts = new Texts(body)
  // What is no JSON is one text.
  const plain = body === undefined ? asked.body?.bytes.toString() : undefined
  const { tools } = recordOf(body)
  const text = JSON.stringify({
    texts: plain === undefined ? texts.all : [plain],
    images: texts.images,
    tools: Array.isArray(tools) ? (tools as unknown[]) : [],
    request_data: {
      model: head.model ?? null,
      user_api_key_end_user_id: head.clientAddress,
    },
    input_type: 'request',
    litellm_call_id: requestId,
    litellm_trace_id: head.traceparent ?? requestId,
    model: head.model ?? null,
    additional_provider_specific_params: {},
  })
  const read = (reply: unknown): Verdict => {
    const { action, blocked_reason: reason, texts: others } = recordOf(reply)
    switch (action) {
      case 'NONE':
        return NO_OBJECTION
      case 'BLOCKED':
        return blocked(plainText(reason))
      case 'GUARDRAIL_INTERVENED': {
        if (!Array.isArray(others)) return NO_OBJECTION
        const [first] = others as unknown[]
        const isOne = plain !== undefined && typeof first === 'string'
        const changed = isOne ? first : texts.replace(others as unknown[])
        // What it wants out would go up: that is no answer.
        if (changed === undefined)
          throw new ProcessorFailure('malformed', 'texts that fit nowhere')
        return { ...NO_OBJECTION, body: Buffer.from(changed) }
      }
      default:
        throw new ProcessorFailure('malformed', 'no action')
    }
  }
  return { text, read }
}

function ofPortkey(asked: Asked): GuardrailQuestion {
  const { head, requestId } = asked
  const body = jsonOf(asked)
  const texts = new Texts(body)
  const text = JSON.stringify({
    request: {
      json: body ?? null,
      text: texts.all.join('\n'),
      isStreamingRequest: recordOf(body)['stream'] === true,
      isTransformed: false,
    },
    response: { json: {}, text: '', statusCode: null, isTransformed: false },
    provider: head.provider ?? null,
    requestType: head.path.split('?', 1)[0],
    metadata: { request_id: requestId, client_ip: head.clientAddress, model: head.model },
    eventType: 'beforeRequestHook',
  })
  const read = (reply: unknown): Verdict => {
    const { verdict, data, transformedData } = recordOf(reply)
    if (typeof verdict !== 'boolean')
      throw new ProcessorFailure('malformed', 'no verdict')
    const { reason, explanation } = recordOf(data)
    if (!verdict) return blocked(plainText(reason ?? explanation))
    const { json } = recordOf(recordOf(transformedData)['request'])
    if (typeof json !== 'object' || json === null) return NO_OBJECTION
    return { ...NO_OBJECTION, body: Buffer.from(JSON.stringify(json)) }
  }
  return { text, read }
}

function blocked(text: string | undefined): Verdict {
  return {
    ...NO_OBJECTION,
    ruling: { kind: 'block', status: undefined, text, fields: [] },
    audit: auditNote({}),
  }
}

/** Undefined: it is none, or not all of it is there. */
function jsonOf({ body }: Asked): unknown {
  if (body === undefined || body.isCut) return undefined
  try {
    return JSON.parse(body.bytes.toString())
  } catch {
    return undefined
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : {}
}
