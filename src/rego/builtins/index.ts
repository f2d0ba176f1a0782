/** Every built-in function, and the names of those that OPA has and this evaluator has not. */
import type { Builtin } from '../builtin.js'
import { aggregates } from './aggregates.js'
import { arithmetic } from './arithmetic.js'
import { arraysAndSets } from './arrays.js'
import { encodings } from './encoding.js'
import { globs } from './glob.js'
import { numbers } from './numbers.js'
import { objects } from './objects.js'
import { regexes } from './regex.js'
import { stringBuiltins } from './strings.js'
import { types } from './types.js'

export const builtins: readonly Builtin[] = [
  ...aggregates,
  ...arithmetic,
  ...arraysAndSets,
  ...encodings,
  ...globs,
  ...numbers,
  ...objects,
  ...regexes,
  ...stringBuiltins,
  ...types,
]
