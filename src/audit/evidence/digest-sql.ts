/**
 * The plain text of a row (`row-digest.ts`) as SQLite makes it, but for the number that is not
 * whole, which the caller puts before it. NULL where the row may read more than one way: then the
 * caller reads all of its columns. When this text has the digest that was written, the row is the
 * one that was: the flag says how many separators there are, so that none is part of a value.
 */
import type { TableName } from './chain-format.js'
import { PLANS, SEPARATOR } from './digest-columns.js'

export function plainSql(table: TableName): string {
  const { usualNames, optionalNames, rareNames, laterNames } = PLANS[table]
  const separator = `'${SEPARATOR}'`
  const usual = usualNames.join(`, ${separator}, `)
  const unclear = [
    // What may not be NULL was not empty either, or the row had taken the full way.
    `'' IN (${optionalNames.join(', ')})`,
    isBlobAmong(usualNames),
    ...(laterNames.length === 0 ? [] : [`${firstOf(laterNames)} IS NOT NULL`]),
  ].join(' OR ')
  const alone = `concat('0', ${separator}, ${usual})`
  if (rareNames.length === 0) return `CASE WHEN ${unclear} THEN NULL ELSE ${alone} END`
  const json = `json_array(${rareNames.join(', ')})`
  return `CASE WHEN ${unclear} THEN NULL
    WHEN ${firstOf(rareNames)} IS NULL THEN ${alone}
    WHEN ${isBlobAmong(rareNames)} THEN NULL
    ELSE concat('1', ${separator}, ${usual}, ${separator}, ${json}) END`
}

/** A blob sorts behind every text and number, and would read like the text of its bytes. */
const isBlobAmong = (names: readonly string[]): string =>
  `typeof(max(${names.map((name) => `ifnull(${name}, 0)`).join(', ')}, 0)) = 'blob'`

/** `coalesce` wants two at least. */
const firstOf = (names: readonly string[]): string =>
  `coalesce(${names.join(', ')}, NULL)`

/** What stands before it. */
export const withReal = (real: number | null, text: string): string =>
  `${real === null ? '' : real}${SEPARATOR}${text}`
