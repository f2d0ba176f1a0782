import type { FuzzKind } from './kind.js'
import { regoFuzz } from './rego.js'

/** Every kind that the command knows, in the order of its help. */
export const kinds: readonly FuzzKind[] = [regoFuzz]
