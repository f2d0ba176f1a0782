import {
  BedrockRuntimeClient,
  ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { ask, joined, prompt } from './lib.mjs'

// No `requestHandler`: its own, over HTTP/2.
const client = new BedrockRuntimeClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'nobody', secretAccessKey: 'simulated-key' },
})
await ask(async () => {
  const { stream } = await client.send(
    new ConverseStreamCommand({
      modelId: 'amazon.nova-pro-v1:0',
      messages: [{ role: 'user', content: [{ text: prompt }] }],
    }),
  )
  return joined(stream, (event) => event.contentBlockDelta?.delta?.text)
})
client.destroy()
