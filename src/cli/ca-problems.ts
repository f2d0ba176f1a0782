/**
 * Endpoints that the CA on disk may not sign for: they would pass untouched. Without a CA there
 * is nothing to say, since the first start makes one that permits them.
 */
import { findCa, summarise } from '../../ca/show-ca.js'
import { formatKey } from '../../config/problem.js'
import type { Problem } from '../../config/problem.js'
import { caSettingsOf } from '../assembly/from-config/ca.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import type { Loaded } from './context.js'

export interface CaProblems {
  /** Only a new root on every device would serve them. */
  readonly problems: readonly Problem[]
  /** A new issuing CA serves them; no device needs to do anything. */
  readonly warnings: readonly Problem[]
}

/** A start would end with it. */
function broken({ config, source, lineOf }: Loaded, error: YoriError): Problem {
  const key = config.ca.passphrase === undefined ? 'ca.directory' : 'ca'
  const line = lineOf('ca')
  const right = `yori ca show tells more (${error.code})`
  return {
    ...{ file: source, key, wrong: error.message, right },
    ...(line === undefined ? {} : { line }),
  }
}

export async function caProblems(loaded: Loaded, clock: Clock): Promise<CaProblems> {
  const settings = caSettingsOf(loaded.config)
  const ca = await findCa(settings.directory, clock).catch((error: unknown) => {
    if (error instanceof YoriError) return error
    throw error
  })
  if (ca instanceof YoriError) return { problems: [broken(loaded, ca)], warnings: [] }
  if (ca === undefined) return { problems: [], warnings: [] }
  const { needNewRoot, needRotation } = summarise(ca, settings, clock.now()).names
  const at = (name: string, wrong: string, right: string): Problem => {
    const index = loaded.config.endpoints.findIndex(({ domain }) => domain === name)
    const key = index < 0 ? 'access.own_names' : formatKey(['endpoints', index])
    const line = loaded.lineOf(key)
    return {
      file: loaded.source,
      key,
      wrong,
      right,
      ...(line === undefined ? {} : { line }),
    }
  }
  return {
    problems: needNewRoot.map((name) =>
      at(
        name,
        `the root in ${settings.directory} may not sign for ${name}`,
        'add it to ca.permitted and run `yori ca rotate --root`, or set route: tunnel',
      ),
    ),
    warnings: needRotation.map((name) =>
      at(
        name,
        `${name} is not in the issuing CA yet`,
        'the next start or `yori ca rotate` adds it',
      ),
    ),
  }
}
