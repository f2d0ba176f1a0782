import { readFileSync } from 'node:fs'
import { Client, credentials } from '@grpc/grpc-js'
import { ask, prompt } from './lib.mjs'
import { field } from './protobuf.mjs'

const roots = readFileSync(process.env.SSL_CERT_FILE)
const client = new Client('api.x.ai:443', credentials.createSsl(roots))
const same = (bytes) => bytes
// A message of a user: its role is a number.
const message = Buffer.concat([field(1, field(1, prompt)), Buffer.from([0x10, 1])])
const request = Buffer.concat([field(1, message), field(2, 'grok-4')])
await ask(async () => {
  const path = '/xai_api.Chat/GetCompletionChunk'
  let said = ''
  for await (const chunk of client.makeServerStreamRequest(path, same, same, request))
    said += chunk.toString()
  return said
})
client.close()
