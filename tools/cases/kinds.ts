import { injectionCases, piiCases, secretCases } from './detect.js'
import { httpCases } from './http.js'
import type { CaseKind } from './kind.js'
import { llmCases } from './llm-read.js'
import { regoCases } from './rego.js'
import { tlsCases } from './tls.js'
import { wafCases } from './waf.js'

/** Every kind that the command knows, in the order of its help. */
export const kinds: readonly CaseKind[] = [
  tlsCases,
  httpCases,
  llmCases,
  regoCases,
  piiCases,
  secretCases,
  injectionCases,
  wafCases,
]
