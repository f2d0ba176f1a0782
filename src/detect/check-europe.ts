/**
 * National ids and accounts of Europe by their check digits. Each takes the characters alone,
 * letters large: what stood between them is gone. Pure.
 */
import {
  digitAt,
  isDay,
  isMadeUp,
  luhn,
  mod11and10,
  remainder,
  valueOf,
  weighed,
} from './check-sums.js'

export type Check = (compact: string) => boolean

/** Identifikationsnummer, § 139b AO: of ten digits one twice or three times, another left out. */
const deTaxId: Check = (id) => {
  if (id.startsWith('0') || !mod11and10(id)) return false
  const counts = new Map<string, number>()
  for (const digit of id.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  const repeated = [...counts.values()].filter((count) => count > 1)
  return repeated.length === 1 && (repeated[0] as number) <= 3 && !/(\d)\1\1/.test(id)
}

/** Umsatzsteuer-Identifikationsnummer: `DE` and nine digits, the last by MOD 11,10. */
const deVatId: Check = (id) => id.startsWith('DE')

const PASSPORT_LETTERS = /^[CFGHJKLMNPRTVWXYZ0-9]+$/

/** ICAO Doc 9303 part 3, 7-3-1. */
export function icaoDigit(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++)
    sum += valueOf(text.charAt(i)) * ([7, 3, 1][i % 3] as number)
  return sum % 10
}

/** Letters of serial numbers: no vowels, and none that looks like a digit. */
const dePassport: Check = (id) =>
  /^[CFGHJK]/.test(id) &&
  PASSPORT_LETTERS.test(id) &&
  /\d$/.test(id) &&
  /\d.*\d.*\d/.test(id)
const deIdCard: Check = (id) => {
  if (/^T\d{8}$/.test(id)) return true
  return /^[LMNPRTVWXY]/.test(id) && PASSPORT_LETTERS.test(id) && /\d.*\d.*\d/.test(id)
}

/** Versicherungsnummer: area, birthday, letter, number, and a digit by cross sums. */
const deSocial: Check = (id) => {
  const letter = String(id.charCodeAt(8) - 64).padStart(2, '0')
  const digits = id.slice(0, 8) + letter + id.slice(9, 11)
  const day = Number(id.slice(2, 4))
  const month = Number(id.slice(4, 6))
  if (month < 1 || month > 12 || day < 1 || (day > 31 && (day < 51 || day > 81)))
    return false
  let sum = 0
  for (const [i, weight] of [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1].entries()) {
    const product = digitAt(digits, i) * weight
    sum += Math.floor(product / 10) + (product % 10)
  }
  return sum % 10 === Number(id.at(-1))
}

/** Krankenversichertennummer, § 290 SGB V: the letter as two digits, then Luhn from the left. */
const deHealth: Check = (id) => {
  const digits = String(id.charCodeAt(0) - 64).padStart(2, '0') + id.slice(1, 9)
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const product = digitAt(digits, i) * (i % 2 === 0 ? 1 : 2)
    sum += product > 9 ? product - 9 : product
  }
  return sum % 10 === Number(id.at(-1))
}

/** Lebenslange Arztnummer: six digits, a seventh by 4 and 9, two of the field. */
const deDoctor: Check = (id) => {
  const sum = weighed(id, [4, 9, 4, 9, 4, 9])
  return (10 - (sum % 10)) % 10 === digitAt(id, 6)
}

/** NIR (INSEE): 97 less the rest by 97; Corsica's departments are 2A and 2B. */
const frNir: Check = (id) => {
  if (!/^[1-478]/.test(id)) return false
  const month = Number(id.slice(3, 5))
  const isMonth =
    (month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50
  if (!isMonth) return false
  const plain = id.slice(0, 13).replace('A', '0').replace('B', '0')
  if (!/^\d{13}$/.test(plain)) return false
  const less = id[6] === 'A' ? 1_000_000 : id[6] === 'B' ? 2_000_000 : 0
  return 97 - ((Number(plain) - less) % 97) === Number(id.slice(13))
}

const NIF_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE'
const esNif: Check = (id) => id[8] === NIF_LETTERS[Number(id.slice(0, 8)) % 23]
const esNie: Check = (id) => {
  const first = 'XYZ'.indexOf(id.charAt(0))
  return first >= 0 && id[8] === NIF_LETTERS[Number(`${first}${id.slice(1, 8)}`) % 23]
}

const ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25,
  24, 23,
]
const FISCAL =
  /^[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$/

/** Codice fiscale, D.M. 12 March 1974, with the letters for digits of those that were equal. */
const itFiscal: Check = (id) => {
  if (!FISCAL.test(id)) return false
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const code = id.charCodeAt(i)
    const value = code < 58 ? code - 48 : code - 65
    sum += i % 2 === 0 ? (ODD[value] as number) : value
  }
  return id.charCodeAt(15) - 65 === sum % 26
}
const itVat: Check = (id) => luhn(id) && !isMadeUp(id)

/** Elfproef: the last digit counts against the others. */
const nlBsn: Check = (id) =>
  !isMadeUp(id) && weighed(id, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0

/** NHS number, modulus 11. */
const ukNhs: Check = (id) => {
  const rest = 11 - (weighed(id, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return !isMadeUp(id) && rest !== 10 && rest % 11 === digitAt(id, 9)
}

/** Prefixes that are not given out: HMRC, National Insurance Manual NIM39110. */
const ukNino: Check = (id) =>
  /^(?!BG|GB|NK|KN|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(id)

/** DVLA: name, decade, month (plus 50 for women), day, year, initials. */
const ukDriver: Check = (id) => {
  if (!/^[A-Z9]{5}\d{6}[A-Z][A-Z9][A-Z0-9]{3}$/.test(id)) return false
  if (!/^[A-Z]{1,5}9{0,4}$/.test(id.slice(0, 5))) return false
  const month = Number(id.slice(6, 8)) % 50
  const day = Number(id.slice(8, 10))
  return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

const plPesel: Check = (id) => {
  const month = Number(id.slice(2, 4)) % 20
  if (month < 1 || month > 12 || !isDay(2000, month, Number(id.slice(4, 6)))) return false
  const sum = weighed(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
  return (10 - (sum % 10)) % 10 === digitAt(id, 10)
}
const plNip: Check = (id) =>
  !isMadeUp(id) && weighed(id, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === digitAt(id, 9)

const seBirth = (id: string): boolean => {
  const day = Number(id.slice(4, 6)) % 60
  return isDay(2000, Number(id.slice(2, 4)), day) && luhn(id)
}
const sePerson: Check = (id) => seBirth(id.slice(-10)) && /^(?:18|19|20)?\d{10}$/.test(id)
/** The third digit is 2 or more: no month. */
const seCompany: Check = (id) => digitAt(id, 2) >= 2 && luhn(id)

const FI_CHECK = '0123456789ABCDEFHJKLMNPRSTUVWXY'
const fiPerson: Check = (id) => {
  const digits = id.slice(0, 6) + id.slice(-4, -1)
  if (!/^\d{9}$/.test(digits) || !/^\d{6}[A-FUVWXY]?\d{3}/.test(id)) return false
  const century = id.length === 11 ? id.charAt(6) : '-'
  const year = (/[A-F]/.test(century) ? 2000 : 1900) + Number(id.slice(4, 6))
  if (!isDay(year, Number(id.slice(2, 4)), Number(id.slice(0, 2)))) return false
  return Number(digits.slice(6)) >= 2 && id.at(-1) === FI_CHECK[Number(digits) % 31]
}

/** AHV-Nummer: EAN-13 with Switzerland's 756. */
const chAhv: Check = (id) => {
  const sum = weighed(id, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3])
  return id.startsWith('756') && (10 - (sum % 10)) % 10 === digitAt(id, 12)
}

/** Rijksregisternummer: 97 less the rest, with a 2 before for those born since 2000. */
const beNational: Check = (id) => {
  const month = Number(id.slice(2, 4))
  if (month > 12 || Number(id.slice(4, 6)) > 31) return false
  const check = Number(id.slice(9))
  const base = id.slice(0, 9)
  return [base, `2${base}`].some((each) => 97 - remainder(each, 97) === check)
}

const ptNif: Check = (id) => {
  const rest = weighed(id, [9, 8, 7, 6, 5, 4, 3, 2]) % 11
  return (
    /^[1-35689]/.test(id) &&
    !isMadeUp(id) &&
    (rest < 2 ? 0 : 11 - rest) === digitAt(id, 8)
  )
}

/** Fødselsnummer: two digits, each modulus 11. */
const noPerson: Check = (id) => {
  const first = (11 - (weighed(id, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11)) % 11
  const second = (11 - (weighed(id, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11
  const day = Number(id.slice(0, 2)) % 40
  const month = Number(id.slice(2, 4)) % 40
  return isDay(2000, month, day) && first === digitAt(id, 9) && second === digitAt(id, 10)
}

export const EUROPEAN: Readonly<Record<string, Check>> = {
  'de-tax-id': deTaxId,
  'de-vat-id': deVatId,
  'de-passport': dePassport,
  'de-id-card': deIdCard,
  'de-social': deSocial,
  'de-health': deHealth,
  'de-doctor': deDoctor,
  'fr-nir': frNir,
  'es-nif': esNif,
  'es-nie': esNie,
  'it-fiscal': itFiscal,
  'it-vat': itVat,
  'nl-bsn': nlBsn,
  'uk-nhs': ukNhs,
  'uk-nino': ukNino,
  'uk-driver': ukDriver,
  'pl-pesel': plPesel,
  'pl-nip': plNip,
  'se-person': sePerson,
  'se-company': seCompany,
  'fi-person': fiPerson,
  'ch-ahv': chAhv,
  'be-national': beNational,
  'pt-nif': ptNif,
  'no-person': noPerson,
}
