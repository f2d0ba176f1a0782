/**
 * A server of Envoy's external processing by @grpc/grpc-js, with a description of our own by
 * the published numbers of its fields (envoy/service/ext_proc/v3/external_processor.proto).
 */
import { writeFileSync } from 'node:fs'
import { loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js'
import type { ServerDuplexStream, ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { tempFolder } from './temp-folder.js'

const PROTO = `
syntax = "proto3";
package envoy.service.ext_proc.v3;
service ExternalProcessor {
  rpc Process(stream ProcessingRequest) returns (stream ProcessingResponse) {}
}
message HeaderValue { string key = 1; string value = 2; bytes raw_value = 3; }
message HeaderMap { repeated HeaderValue headers = 1; }
message HttpHeaders { HeaderMap headers = 1; bool end_of_stream = 3; }
message HttpBody { bytes body = 1; bool end_of_stream = 2; }
message ProcessingRequest {
  oneof request {
    HttpHeaders request_headers = 2;
    HttpHeaders response_headers = 3;
    HttpBody request_body = 4;
    HttpBody response_body = 5;
  }
  bool observability_mode = 10;
}
message BoolValue { bool value = 1; }
message HeaderValueOption { HeaderValue header = 1; BoolValue append = 2; int32 append_action = 3; }
message HeaderMutation { repeated HeaderValueOption set_headers = 1; repeated string remove_headers = 2; }
message BodyMutation { oneof mutation { bytes body = 1; bool clear_body = 2; } }
message CommonResponse { int32 status = 1; HeaderMutation header_mutation = 2; BodyMutation body_mutation = 3; }
message HeadersResponse { CommonResponse response = 1; }
message BodyResponse { CommonResponse response = 1; }
message HttpStatus { int32 code = 1; }
message ImmediateResponse { HttpStatus status = 1; HeaderMutation headers = 2; bytes body = 3; string details = 5; }
message ProcessingResponse {
  oneof response {
    HeadersResponse request_headers = 1;
    HeadersResponse response_headers = 2;
    BodyResponse request_body = 3;
    BodyResponse response_body = 4;
    ImmediateResponse immediate_response = 7;
  }
}
`

interface Header {
  readonly key: string
  readonly raw_value: Buffer
}

/** Whichever of its fields is there. */
export interface ProcRequest {
  readonly request_headers?: {
    readonly headers: { readonly headers: readonly Header[] }
    readonly end_of_stream: boolean
  }
  readonly request_body?: { readonly body: Buffer; readonly end_of_stream: boolean }
  readonly response_headers?: NonNullable<ProcRequest['request_headers']>
  readonly response_body?: { readonly body: Buffer; readonly end_of_stream: boolean }
  readonly observability_mode?: boolean
}

/** `end`: it closes the stream in order; `nothing`: it hangs; a number: a status of gRPC. */
export type ProcSay = (request: ProcRequest) => object | 'end' | 'nothing' | number

export class ExtProcServer implements AsyncDisposable {
  readonly address: string
  readonly requests: ProcRequest[] = []
  say: ProcSay
  readonly #server: Server

  private constructor(server: Server, port: number, say: ProcSay) {
    this.#server = server
    this.address = `127.0.0.1:${port}`
    this.say = say
  }

  static async start(say: ProcSay): Promise<ExtProcServer> {
    await using folder = await tempFolder()
    const file = folder.file('external_processor.proto')
    writeFileSync(file, PROTO)
    const loaded = loadPackageDefinition(
      loadSync(file, { keepCase: true }),
    ) as unknown as {
      envoy: {
        service: { ext_proc: { v3: { ExternalProcessor: ServiceClientConstructor } } }
      }
    }
    const { service } = loaded.envoy.service.ext_proc.v3.ExternalProcessor
    const server = new Server()
    server.addService(service, {
      Process: (call: ServerDuplexStream<ProcRequest, object>) => {
        call.on('error', () => undefined)
        call.on('end', () => call.end())
        call.on('data', (request: ProcRequest) => {
          made.requests.push(request)
          const said = made.say(request)
          if (said === 'end') call.end()
          else if (typeof said === 'number')
            call.emit('error', { code: said, details: 'no' })
          else if (said !== 'nothing') call.write(said)
        })
      },
    })
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(
        '127.0.0.1:0',
        ServerCredentials.createInsecure(),
        (error, bound) => {
          if (error === null) resolve(bound)
          else reject(error)
        },
      )
    })
    const made = new ExtProcServer(server, port, say)
    return made
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown()
    return Promise.resolve()
  }
}

export function headersOf({
  request_headers: head,
}: ProcRequest): Record<string, string> {
  const list = head?.headers.headers ?? []
  return Object.fromEntries(list.map(({ key, raw_value: raw }) => [key, raw.toString()]))
}
