/**
 * Calls of gRPC that are known, by their path: which API of which provider they are, and their
 * messages as the JSON that this provider's reader understands. What is called by other paths
 * is read by its text alone. A service is one line in the list at the end. Pure.
 */
import { atOnce } from '../core/resting.js'
import type { Resting } from '../core/resting.js'
import { protoJson } from '../protobuf/schema.js'
import type { ProtoJson, ProtoLimits, ProtoSchema } from '../protobuf/schema.js'
import { geminiCalls, vertexCalls } from './grpc-gemini.js'
import { xaiChat, xaiEmbedder, xaiSample } from './grpc-xai.js'
import type { Json } from './json.js'
import { withoutQuery } from './paths.js'
import { textsOfFields } from './protobuf-text.js'
import type { GrpcMethod, GrpcService } from './grpc-method.js'
import { requestsBy } from './provider.js'
import type { Api, Provider } from './provider.js'

/** How the messages of one call are read. */
export interface GrpcCall {
  /** One message of a request. */
  message(bytes: Buffer, limits: ProtoLimits): Resting<ProtoJson>
  /** All that were read, as one body. */
  body(messages: readonly Json[]): Json
}

/**
 * A call that is read as one over REST is: by `provider`, whose readers see the JSON of
 * it.
 */
export interface KnownCall {
  readonly provider: string
  readonly api: Api
  readonly call: GrpcCall
  /** Reads as `provider` does what came over REST. */
  over(provider: Provider): Provider
}

const PATH = /^\/([\w.]{1,256})\/(\w{1,128})$/

/**
 * `path`: `/package.Service/Method`, a query or none. Undefined: nobody here knows the
 * service, or the method.
 */
export function knownCall(path: string): KnownCall | undefined {
  const [, service = '', name = ''] = PATH.exec(withoutQuery(path)) ?? []
  const calls = CALLS.find((one) => one.name.test(service))
  if (calls === undefined || !Object.hasOwn(calls.methods, name)) return undefined
  const { schema, provider } = calls
  const method = calls.methods[name] as GrpcMethod
  return {
    provider,
    api: method.api,
    call: {
      message: (bytes, limits) => read(schema, method.request, bytes, limits),
      body: (messages) => method.body?.(messages) ?? messages[0] ?? {},
    },
    over: (by) => ({
      ...by,
      ...requestsBy((body, context) =>
        by.requestInSlices(body, { ...context, path: method.path }),
      ),
      reader: (context) =>
        by.reader({
          ...context,
          path: method.path,
          message: (bytes) => answerOf(schema, method, bytes),
        }),
    }),
  }
}

function read(
  schema: ProtoSchema,
  type: string,
  bytes: Buffer,
  limits: ProtoLimits,
): Resting<ProtoJson> {
  return protoJson(schema, type, bytes, {
    limits,
    ofUnknown: (fields, count) => textsOfFields(fields, limits.maxDepth, count),
  })
}

/** Of an answer nobody looks at what is not known. */
const ANSWER_LIMITS: ProtoLimits = { maxDepth: 64, maxFields: 20_000 }

function answerOf(
  schema: ProtoSchema,
  method: GrpcMethod,
  bytes: Buffer,
): Json | undefined {
  const read = atOnce(
    protoJson(schema, method.answer, bytes, {
      limits: ANSWER_LIMITS,
      *ofUnknown() {
        yield
      },
    }),
  )
  if (read.kind !== 'whole') return undefined
  return method.said?.(read.value) ?? read.value
}

const CALLS: readonly GrpcService[] = [
  geminiCalls,
  vertexCalls,
  xaiChat,
  xaiSample,
  xaiEmbedder,
]
