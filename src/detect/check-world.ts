/**
 * National ids, accounts and licences beyond Europe by their check digits. Each takes the
 * characters alone, letters large. Pure.
 */
import type { Check } from './check-europe.js'
import {
  digitAt,
  isDay,
  isMadeUp,
  luhn,
  verhoeff,
  valueOf,
  weighed,
} from './check-sums.js'

/** ABA: 3, 7, 1, and a Federal Reserve district before. */
const usRouting: Check = (id) => {
  const district = Number(id.slice(0, 2))
  const isOne =
    (district >= 1 && district <= 12) ||
    (district >= 21 && district <= 32) ||
    (district >= 61 && district <= 72) ||
    district === 80
  return isOne && weighed(id, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
}

/** IRS: 9, and a fourth and fifth digit of 50 to 65, 70 to 88, 90 to 92, 94 to 99. */
const usItin: Check = (id) => {
  const group = Number(id.slice(3, 5))
  return (
    id.startsWith('9') &&
    ((group >= 50 && group <= 65) ||
      (group >= 70 && group <= 99 && group !== 89 && group !== 93))
  )
}

/** SSA, as nine digits without anything between: any nine look like one. */
const usSsn: Check = (id) =>
  !/^(?:000|666|9)/.test(id) &&
  id.slice(3, 5) !== '00' &&
  id.slice(5) !== '0000' &&
  !isMadeUp(id)

/** DEA: the sum of the odd ones and twice that of the even ones ends with the last. */
const usDea: Check = (id) => {
  const digits = id.slice(2)
  const odd = digitAt(digits, 0) + digitAt(digits, 2) + digitAt(digits, 4)
  const even = digitAt(digits, 1) + digitAt(digits, 3) + digitAt(digits, 5)
  return /^[ABCDEFGHJKLMPRSTUX]/.test(id) && (odd + 2 * even) % 10 === digitAt(digits, 6)
}

/** NPI: Luhn with 80840 before it. */
const usNpi: Check = (id) => /^[12]/.test(id) && luhn(`80840${id}`)

/** CMS: no S, L, O, I, B, Z. */
const usMbi: Check = (id) =>
  /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y]{2}\d{2}$/.test(
    id,
  )

const caSin: Check = (id) => /^[1-79]/.test(id) && !isMadeUp(id) && luhn(id)

function brDigit(digits: string, from: number): number {
  let sum = 0
  let weight = from
  for (let i = 0; i < digits.length; i++) {
    sum += digitAt(digits, i) * weight
    weight = weight === 2 ? 9 : weight - 1
  }
  const rest = sum % 11
  return rest < 2 ? 0 : 11 - rest
}
function cpfDigit(digits: string): number {
  let sum = 0
  for (let i = 0; i < digits.length; i++)
    sum += digitAt(digits, i) * (digits.length + 1 - i)
  const rest = sum % 11
  return rest < 2 ? 0 : 11 - rest
}
const brCpf: Check = (id) =>
  !isMadeUp(id) &&
  cpfDigit(id.slice(0, 9)) === digitAt(id, 9) &&
  cpfDigit(id.slice(0, 10)) === digitAt(id, 10)
const brCnpj: Check = (id) =>
  !isMadeUp(id) &&
  brDigit(id.slice(0, 12), 5) === digitAt(id, 12) &&
  brDigit(id.slice(0, 13), 6) === digitAt(id, 13)

const inAadhaar: Check = (id) =>
  /^[2-9]/.test(id) && verhoeff(id) && id !== [...id].toReversed().join('')
const inPan: Check = (id) => /^[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]$/.test(id)
const inPanForm: Check = (id) => /^[A-Z]{5}\d{4}[A-Z]$/.test(id) && !/^(.)\1{4}/.test(id)

/** State, PAN, number, Z, and a character by the factors 1 and 2, modulus 36. */
const inGstin: Check = (id) => {
  const state = Number(id.slice(0, 2))
  const isOne = (state >= 1 && state <= 38) || state === 97 || state === 99
  return isOne && /^\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/.test(id)
}

const auTfn: Check = (id) =>
  !isMadeUp(id) && weighed(id, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
const auAbn: Check = (id) =>
  (weighed(id, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0 &&
  !id.startsWith('0')
const auAcn: Check = (id) =>
  !isMadeUp(id) &&
  (10 - (weighed(id, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === digitAt(id, 8)
const auMedicare: Check = (id) =>
  /^[2-6]/.test(id) && weighed(id, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(id, 8)

function krBirth(id: string): boolean {
  return isDay(2000, Number(id.slice(2, 4)), Number(id.slice(4, 6)))
}
const KR = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]
/** Since October 2020 the last digits are by chance: the form, and a day of birth. */
const krRrn: Check = (id) => krBirth(id) && /^[0-49]/.test(id.charAt(6))
const krFrn: Check = (id) => krBirth(id) && /^[5-8]/.test(id.charAt(6))
const krRrnSum: Check = (id) =>
  krRrn(id) && (11 - (weighed(id, KR) % 11)) % 10 === digitAt(id, 12)
const krFrnSum: Check = (id) =>
  krFrn(id) && (13 - (weighed(id, KR) % 11)) % 10 === digitAt(id, 12)
const krBusiness: Check = (id) => {
  const sum =
    weighed(id, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((digitAt(id, 8) * 5) / 10)
  return !isMadeUp(id) && (10 - (sum % 10)) % 10 === digitAt(id, 9)
}
/** Regions 11 to 28. */
const krDriver: Check = (id) =>
  Number(id.slice(0, 2)) >= 11 && Number(id.slice(0, 2)) <= 28

/** Kind, number, and since 2021 a letter in the midst. */
const krPassport: Check = (id) => /^[MSRODG]\d{3}[A-Z0-9]\d{4}$/.test(id)

const sgNric: Check = (id) => /^[STFGM]\d{7}[A-Z]$/.test(id) && sgLetter(id)
function sgLetter(id: string): boolean {
  const sum =
    weighed(id.slice(1), [2, 7, 6, 5, 4, 3, 2]) +
    (/[TG]/.test(id) ? 4 : id.startsWith('M') ? 3 : 0)
  const letters = /^[ST]/.test(id)
    ? 'JZIHGFEDCBA'
    : id.startsWith('M')
      ? 'KLJNPQRTUWX'
      : 'XWUTRQPNMLK'
  const at = id.startsWith('M') ? 10 - (sum % 11) : sum % 11
  return letters.charAt(at) === id.at(-1)
}

const thNational: Check = (id) => {
  const sum = weighed(id, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
  const province = Number(id.slice(1, 3))
  if (province < 10 || province > 97) return false
  return /^[1-8]/.test(id) && (11 - (sum % 11)) % 10 === digitAt(id, 12)
}
const trNational: Check = (id) => {
  const odd = [0, 2, 4, 6, 8].reduce((sum, i) => sum + digitAt(id, i), 0)
  const even = [1, 3, 5, 7].reduce((sum, i) => sum + digitAt(id, i), 0)
  const tenth = (((odd * 7 - even) % 10) + 10) % 10
  return (
    !id.startsWith('0') &&
    tenth === digitAt(id, 9) &&
    (odd + even + tenth) % 10 === digitAt(id, 10)
  )
}
const zaNational: Check = (id) =>
  isDay(2000, Number(id.slice(2, 4)), Number(id.slice(4, 6))) &&
  /^[012]/.test(id.charAt(10)) &&
  luhn(id)

/** GB 11643: ISO 7064 MOD 11-2. */
const cnResident: Check = (id) => {
  const [year, month, day] = [id.slice(6, 10), id.slice(10, 12), id.slice(12, 14)].map(
    Number,
  )
  if (!isDay(year as number, month as number, day as number)) return false
  if ((year as number) < 1850 || (year as number) > 2100) return false
  const sum = weighed(id, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
  return '10X98765432'.charAt(sum % 11) === id.charAt(17)
}
const jpMyNumber: Check = (id) => {
  const rest = weighed(id, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
  return !isMadeUp(id) && (rest < 2 ? 0 : 11 - rest) === digitAt(id, 11)
}
const CURP = '0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ'
const mxCurp: Check = (id) => {
  if (!/^[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d$/.test(id)) return false
  let sum = 0
  for (let i = 0; i < 17; i++) sum += CURP.indexOf(id.charAt(i)) * (18 - i)
  return (10 - (sum % 10)) % 10 === valueOf(id.charAt(17))
}
/** Eight digits and a letter in which the first has its place: of some states. */
const usPassport: Check = (id) =>
  /^[A-Z]?\d{8,9}$/.test(id) && !isMadeUp(id.replace(/^[A-Z]/, ''))
const notMadeUp: Check = (id) => !isMadeUp(id.replace(/^[A-Z]+/, ''))

export const WORLDLY: Readonly<Record<string, Check>> = {
  'us-routing': usRouting,
  'us-itin': usItin,
  'us-ssn': usSsn,
  'us-dea': usDea,
  'us-npi': usNpi,
  'us-mbi': usMbi,
  'us-passport': usPassport,
  'not-made-up': notMadeUp,
  'ca-sin': caSin,
  'br-cpf': brCpf,
  'br-cnpj': brCnpj,
  'in-aadhaar': inAadhaar,
  'in-pan': inPan,
  'in-pan-form': inPanForm,
  'in-gstin': inGstin,
  'au-tfn': auTfn,
  'au-abn': auAbn,
  'au-acn': auAcn,
  'au-medicare': auMedicare,
  'kr-rrn': krRrn,
  'kr-rrn-sum': krRrnSum,
  'kr-frn': krFrn,
  'kr-frn-sum': krFrnSum,
  'kr-business': krBusiness,
  'kr-driver': krDriver,
  'kr-passport': krPassport,
  'sg-nric': sgNric,
  'th-national': thNational,
  'tr-national': trNational,
  'za-national': zaNational,
  'cn-resident': cnResident,
  'jp-my-number': jpMyNumber,
  'mx-curp': mxCurp,
}
