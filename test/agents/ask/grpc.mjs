import { readFileSync } from 'node:fs'
import { Client, credentials } from '@grpc/grpc-js'
import { ask, prompt } from './lib.mjs'

const roots = readFileSync(process.env.SSL_CERT_FILE)
const client = new Client(
  'generativelanguage.googleapis.com:443',
  credentials.createSsl(roots),
)
const same = (bytes) => bytes
await ask(
  () =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        '/google.ai.generativelanguage.v1beta.GenerativeService/GenerateContent',
        same,
        same,
        Buffer.from(prompt),
        (error, value) => (error ? reject(error) : resolve(value.toString())),
      )
    }),
)
client.close()
