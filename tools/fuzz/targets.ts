import type { FuzzTarget } from './target.js'
import { http1Target } from './http1.js'
import { llmTarget } from './llm.js'
import { processorsTarget } from './processors.js'
import { regoTarget } from './rego.js'
import { sdkTarget } from './sdk.js'
import { textTarget } from './text.js'
import { tlsTarget } from './tls.js'
import { websocketTarget } from './websocket.js'

export const targets: readonly FuzzTarget[] = [
  tlsTarget,
  textTarget,
  regoTarget,
  llmTarget,
  processorsTarget,
  sdkTarget,
  websocketTarget,
  http1Target,
]
