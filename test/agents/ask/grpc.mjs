import { readFileSync } from 'node:fs'
import { Client, credentials } from '@grpc/grpc-js'
import { ask, prompt } from './lib.mjs'
import { field } from './protobuf.mjs'

const roots = readFileSync(process.env.SSL_CERT_FILE)
const client = new Client(
  'generativelanguage.googleapis.com:443',
  credentials.createSsl(roots),
)
const same = (bytes) => bytes
const content = Buffer.concat([field(1, field(2, prompt)), field(2, 'user')])
const request = Buffer.concat([field(1, 'models/gemini-2.5-flash'), field(2, content)])
await ask(
  () =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        '/google.ai.generativelanguage.v1beta.GenerativeService/GenerateContent',
        same,
        same,
        request,
        (error, value) => (error ? reject(error) : resolve(value.toString())),
      )
    }),
)
client.close()
