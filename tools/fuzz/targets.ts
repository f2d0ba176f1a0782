import type { FuzzTarget } from './target.js'
import { textTarget } from './text.js'
import { tlsTarget } from './tls.js'

export const targets: readonly FuzzTarget[] = [tlsTarget, textTarget]
