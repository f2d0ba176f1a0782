/**
 * Messages of gRPC services that models are asked by, written by protobufjs: another encoder
 * than ours. Numbers are those of googleapis/googleapis and xai-org/xai-proto.
 */
import protobuf from 'protobufjs'

const GEMINI = `
syntax = "proto3";
package gemini;
message Request {
  string model = 1; repeated Content contents = 2; repeated Tool tools = 5;
  Config generation_config = 4; Content system_instruction = 8; string novelty = 77;
}
message Config { int32 candidate_count = 1; int32 max_output_tokens = 4; }
message Content { repeated Part parts = 1; string role = 2; }
message Part {
  oneof data {
    string text = 2; Blob inline_data = 3; Call function_call = 4; Result function_response = 5;
  }
}
message Blob { string mime_type = 1; bytes data = 2; }
message Call { string name = 1; Struct args = 2; string id = 3; }
message Result { string name = 1; Struct response = 2; string id = 3; }
message Struct { map<string, Value> fields = 1; }
message Value {
  oneof kind {
    int32 null_value = 1; double number_value = 2; string string_value = 3;
    bool bool_value = 4; Struct struct_value = 5; List list_value = 6;
  }
}
message List { repeated Value values = 1; }
message Tool { repeated Function function_declarations = 1; }
message Function { string name = 1; string description = 2; }
message Answer {
  repeated Candidate candidates = 1; Usage usage_metadata = 3; string model_version = 4;
  string response_id = 5;
}
message Candidate { Content content = 1; int32 finish_reason = 2; int32 index = 3; }
message Usage {
  int32 prompt_token_count = 1; int32 candidates_token_count = 2; int32 total_token_count = 3;
  int32 cached_content_token_count = 4; int32 thoughts_token_count = 10;
}
message Client { Setup setup = 1; Turns client_content = 2; Realtime realtime_input = 3; }
message Setup { string model = 1; Content system_instruction = 3; }
message Turns { repeated Content turns = 1; bool turn_complete = 2; }
message Realtime { string text = 5; }
message Server { ServerContent server_content = 3; Usage usage_metadata = 10; }
message ServerContent { Content model_turn = 1; bool turn_complete = 2; }
`

const VERTEX = `
syntax = "proto3";
package vertex;
message Request { string model = 5; repeated Content contents = 2; Content system_instruction = 8; }
message Content { string role = 1; repeated Part parts = 2; }
message Part { oneof data { string text = 1; } }
message Answer {
  repeated Candidate candidates = 2; Usage usage_metadata = 4; string model_version = 11;
}
message Candidate { int32 index = 1; Content content = 2; int32 finish_reason = 3; }
message Usage { int32 prompt_token_count = 1; int32 candidates_token_count = 2; }
`

const XAI = `
syntax = "proto3";
package xai;
message Request {
  repeated Message messages = 1; string model = 2; int32 max_tokens = 7; repeated Tool tools = 17;
}
message Message {
  repeated Content content = 1; int32 role = 2; repeated ToolCall tool_calls = 4;
}
message Content { oneof content { string text = 1; Image image_url = 2; } }
message Image { string image_url = 1; }
message Tool { oneof tool { Function function = 1; Search web_search = 3; } }
message Search { repeated string excluded_domains = 1; }
message Function { string name = 1; string description = 2; string parameters = 4; }
message ToolCall { string id = 1; Called function = 10; }
message Called { string name = 1; string arguments = 2; }
message Answer { string id = 1; repeated Output outputs = 2; string model = 6; Usage usage = 9; }
message Output { int32 finish_reason = 1; int32 index = 2; Said message = 3; }
message Said { string content = 1; int32 role = 2; repeated ToolCall tool_calls = 3; }
message Chunk { string id = 1; repeated OutputChunk outputs = 2; string model = 4; Usage usage = 6; }
message OutputChunk { Said delta = 1; int32 finish_reason = 3; int32 index = 4; }
message Usage {
  int32 completion_tokens = 1; int32 prompt_tokens = 2; int32 total_tokens = 3;
  int32 reasoning_tokens = 6; int32 cached_prompt_text_tokens = 7;
}
`

const root = new protobuf.Root()
for (const text of [GEMINI, VERTEX, XAI]) protobuf.parse(text, root)

/** The bytes of a message by the name of its type, such as `gemini.Request`. */
export function encoded(type: string, value: Record<string, unknown>): Buffer {
  const found = root.lookupType(type)
  return Buffer.from(found.encode(found.fromObject(value)).finish())
}

/** A writer for messages whose type nobody has. */
export function writer(): protobuf.Writer {
  return protobuf.Writer.create()
}

export const GEMINI_SERVICE = '/google.ai.generativelanguage.v1beta.GenerativeService'
export const VERTEX_SERVICE = '/google.cloud.aiplatform.v1.PredictionService'
