/** A gRPC service of plain bytes, and calls to it through YORI: @grpc/grpc-js at both ends. */
import {
  Client,
  credentials,
  Server as GrpcServer,
  ServerCredentials,
} from '@grpc/grpc-js'
import type {
  ChannelOptions,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { Issued } from './test-ca.js'

const bytes = {
  requestSerialize: (value: Buffer): Buffer => value,
  requestDeserialize: (value: Buffer): Buffer => value,
  responseSerialize: (value: Buffer): Buffer => value,
  responseDeserialize: (value: Buffer): Buffer => value,
}

function method(name: string, requestStream: boolean, responseStream: boolean) {
  return bytesMethod(`/test.Words/${name}`, requestStream, responseStream)
}

/** A method of any service, whose messages are bytes. */
export function bytesMethod(
  path: string,
  requestStream: boolean,
  responseStream: boolean,
) {
  return { path, requestStream, responseStream, ...bytes }
}

export const WORDS = {
  Say: method('Say', false, false),
  Count: method('Count', false, true),
  Gather: method('Gather', true, false),
  Talk: method('Talk', true, true),
} satisfies ServiceDefinition

export interface GrpcOrigin extends AsyncDisposable {
  readonly address: string
  readonly server: GrpcServer
}

export async function startGrpcOrigin(
  issued: Issued,
  service: UntypedServiceImplementation,
  options: ChannelOptions = {},
  definition: ServiceDefinition = WORDS,
): Promise<GrpcOrigin> {
  const server = new GrpcServer(options)
  server.addService(definition, service)
  const pair = {
    cert_chain: Buffer.from(issued.certificatePem),
    private_key: Buffer.from(issued.keyPem),
  }
  const secure = ServerCredentials.createSsl(null, [pair])
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', secure, (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  return {
    address: `127.0.0.1:${port}`,
    server,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  }
}

/** Dials `address`, asks for `host`, and trusts `rootPem`. */
export function grpcClient(
  address: string,
  host: string,
  rootPem: string,
  options: ChannelOptions = {},
): Client & Disposable {
  const client = new Client(address, credentials.createSsl(Buffer.from(rootPem)), {
    'grpc.ssl_target_name_override': host,
    'grpc.default_authority': host,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  })
  return Object.assign(client, { [Symbol.dispose]: () => client.close() })
}
