/** What the scan of `personal.ts` finds, under the names of entities. */
import type { Resting } from '../core/resting.js'
import { eachPersonalIn } from './personal.js'
import type { PersonalKind } from './personal.js'
import type { Finding } from './rule.js'

/** The names that policies have used since before the catalogue, and how sure each is. */
export const ENTITY_OF: Readonly<Record<PersonalKind, readonly [string, number]>> = {
  credit_card: ['CREDIT_CARD', 0.9],
  iban: ['IBAN_CODE', 0.98],
  us_ssn: ['US_SSN', 0.85],
  email: ['EMAIL_ADDRESS', 0.95],
  phone: ['PHONE_NUMBER', 0.75],
  ip_address: ['IP_ADDRESS', 0.8],
  street_address: ['STREET_ADDRESS', 0.6],
  date_of_birth: ['DATE_OF_BIRTH', 0.8],
  person_name: ['SAID_NAME', 0.6],
}

/** By the name of an entity, that by which policies have known it since before. */
const OLD_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(ENTITY_OF).map(([old, [entity]]) => [entity, old]),
)

/** As policies, the record and redaction name a kind: `credit_card`, `DE_TAX_ID`. */
export function knownKind(kind: string): string {
  return OLD_NAMES.get(kind) ?? kind
}

/** The name of the entity: `CREDIT_CARD`. */
export function entityOf(kind: string): string {
  return (
    (ENTITY_OF as Readonly<Record<string, readonly [string, number]>>)[kind]?.[0] ?? kind
  )
}

/** `isFull`: no more of that kind is wanted. */
export function* eachPersonalFinding(
  text: string,
  isFull: (kind: string) => boolean,
  tell: (finding: Finding) => void,
): Resting<void> {
  yield* eachPersonalIn(text, (of, start, end) => {
    const [kind, confidence] = ENTITY_OF[of]
    if (!isFull(kind))
      tell({ class: 'pii', kind, start, end, confidence, rule: of, why: 'its form' })
  })
}
