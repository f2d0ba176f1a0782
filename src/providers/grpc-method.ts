/** What is to be known of a service of gRPC; the services are in files of their own. */
import type { ProtoSchema } from '../protobuf/schema.js'
import type { Json } from './json.js'
import type { Api } from './provider.js'

/** One method, and what its messages are called in the `schema` of its service. */
export interface GrpcMethod {
  readonly api: Api
  /** Of the same call over REST, without its model. */
  readonly path: string
  /** Names of messages in the description. */
  readonly request: string
  readonly answer: string
  /** All messages of a call as one request; without it, the first is. */
  readonly body?: (messages: readonly Json[]) => Json
  /** One message of the answer. */
  readonly said?: (message: Json) => Json
}

/** A service: `name` fits `package.Service`, `methods` are by their names. */
export interface GrpcService {
  readonly name: RegExp
  readonly provider: string
  readonly schema: ProtoSchema
  readonly methods: Readonly<Record<string, GrpcMethod>>
}

/** A method in one line of a list of them. */
export function grpcMethod(
  api: Api,
  path: string,
  [request, answer]: readonly [request: string, answer: string],
  more: Pick<GrpcMethod, 'body' | 'said'> = {},
): GrpcMethod {
  return { api, path, request, answer, ...more }
}
