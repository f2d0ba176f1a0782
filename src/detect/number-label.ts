/**
 * Words before a number that only looks like one of a telephone, and words that say that it is
 * one. Pure; looks at 40 characters.
 */
import { isWordCode } from './characters.js'

const OTHER: ReadonlySet<string> = new Set([
  ...[
    'company',
    'companies',
    'registration',
    'registered',
    'register',
    'registry',
    'reg',
  ],
  ...['vat', 'gst', 'tax', 'tin', 'ein', 'duns', 'abn', 'acn', 'nip', 'krs', 'regon'],
  ...[
    'siren',
    'siret',
    'hrb',
    'hra',
    'uid',
    'crn',
    'org',
    'organisation',
    'organization',
  ],
  ...[
    'corporate',
    'business',
    'nhs',
    'order',
    'invoice',
    'customer',
    'account',
    'policy',
  ],
  ...['reference', 'ref', 'ticket', 'case', 'serial', 'part', 'item', 'isbn', 'tracking'],
])
const TELEPHONE: ReadonlySet<string> = new Set([
  ...['phone', 'telephone', 'tel', 'call', 'fax', 'mobile', 'cell', 'dial', 'text'],
  ...['sms', 'whatsapp'],
])
const LABEL_CHARS = 40
const MAX_LETTERS = 12
const FEED = 0x0a

/** On its line, a word for another number stands before it, and none for a telephone. */
export function isOtherNumber(text: string, start: number): boolean {
  const from = Math.max(0, start - LABEL_CHARS)
  let isOther = false
  let behind = ''
  for (let at = start; at > from;) {
    const code = text.charCodeAt(at - 1)
    if (code === FEED) break
    if (!isWordCode(code)) {
      at--
      continue
    }
    const end = at
    while (at > from && isWordCode(text.charCodeAt(at - 1))) at--
    if (end - at > MAX_LETTERS || end - at < 2) continue
    const word = text.slice(at, end).toLowerCase()
    if (TELEPHONE.has(word) || (word === 'number' && behind === 'is')) return false
    isOther ||= OTHER.has(word)
    behind = word
  }
  return isOther
}
