// Usage: node dist/tools/cases/made-ids.js > FILE
// Rows for `npm run cases -- pii`: numbers that are made up anew by the issuers' rules, half of
// them near misses. Check digits are made here, from the rule's own words, by nothing that the
// detectors use; the same rows come out each time.
import { isProgram } from '../check/finding.js'
import { AMERICAN } from './made-american.js'
import {
  birthday,
  both,
  Chance,
  grouped,
  luhned,
  mod11,
  numbers,
  otherDigit,
  sumOf,
  tried,
  two,
  UPPER,
} from './made-numbers.js'
import type { Make } from './made-numbers.js'

export interface MadeRow {
  readonly id: string
  readonly text: string
  readonly entities: readonly string[]
  readonly expected_matches: number
}

const PAIRS = 24

const MAKERS: Readonly<Record<string, { say: string; make: Make }>> = {
  CREDIT_CARD: {
    say: 'card',
    make: (c) => {
      const [start, length] = (
        [
          ['4', 16],
          ['51', 16],
          ['37', 15],
          ['6011', 16],
          ['3530', 16],
          ['36', 14],
        ] as const
      )[c.below(6)] as [string, number]
      return luhned(start + c.digits(length - start.length - 1))
    },
  },
  IBAN_CODE: {
    say: 'account',
    make: (c) => {
      const [country, length] = (
        [
          ['DE', 18],
          ['AT', 16],
          ['CH', 17],
          ['ES', 20],
          ['PL', 24],
          ['BE', 12],
        ] as const
      )[c.below(6)] as [string, number]
      const bban = c.digits(length)
      const asNumber = BigInt(
        `${bban}${country.charCodeAt(0) - 55}${country.charCodeAt(1) - 55}00`,
      )
      const good = country + two(98 - Number(asNumber % 97n)) + bban
      return both([good, otherDigit(good)], (text) => text.replace(/(.{4})(?=.)/g, '$1 '))
    },
  },
  ...AMERICAN,
  UK_NHS: {
    say: 'NHS number',
    make: (c) =>
      both(
        mod11(c, 10, [10, 9, 8, 7, 6, 5, 4, 3, 2], (rest) =>
          rest === 1 ? 10 : (11 - rest) % 11,
        ),
        (text) => grouped(text, [3, 3, 4], ' '),
      ),
  },
  UK_NINO: {
    say: 'National Insurance',
    make: (c) => {
      const d = c.digits(6)
      const letters = c.of('ABCEGHJLMNPRSTWXYZ') + c.of('ABCEHJLMPRSTWXYZ')
      return [
        `${letters}${d}${c.of('ABCD')}`.replace(/^(?:NT|TN|ZZ)/, 'AB'),
        `D${letters[1]}${d}A`,
      ]
    },
  },
  DE_TAX_ID: {
    say: 'Steuer-ID',
    make: (c) => {
      const good = tried(() => {
        const order = numbers('0123456789').sort(() => c.below(3) - 1)
        const digits = [...order.slice(0, 9), order[c.below(9)] as number]
        const mixed = digits
          .map((digit) => ({ digit, at: c.below(1000) }))
          .sort((a, b) => a.at - b.at)
          .map(({ digit }) => digit)
        if (mixed[0] === 0 || /(\d)\1\1/.test(mixed.join(''))) return undefined
        let rest = 10
        for (const digit of mixed)
          rest = (((digit + rest) % 10 === 0 ? 10 : (digit + rest) % 10) * 2) % 11
        return `${mixed.join('')}${(11 - rest) % 10}`
      })
      return [good, otherDigit(good)]
    },
  },
  FR_NIR: {
    say: 'NIR',
    make: (c) => {
      const payload = `${c.between(1, 2)}${two(c.below(99))}${two(c.between(1, 12))}${two(c.between(10, 19))}${c.digits(6)}`
      const good = payload + two(97 - Number(BigInt(payload) % 97n))
      return [good, otherDigit(good)]
    },
  },
  ES_NIF: {
    say: 'DNI',
    make: (c) => {
      const n = c.between(10_000_000, 99_999_999)
      const at = n % 23
      const letters = 'TRWAGMYFPDXBNJZSQVHLCKE'
      return [`${n}${letters[at]}`, `${n}${letters[(at + 1) % 23]}`]
    },
  },
  ES_NIE: {
    say: 'NIE',
    make: (c) => {
      const first = c.below(3)
      const d = c.digits(7)
      const at = Number(`${first}${d}`) % 23
      const letters = 'TRWAGMYFPDXBNJZSQVHLCKE'
      return [
        `${'XYZ'[first]}${d}${letters[at]}`,
        `${'XYZ'[first]}${d}${letters[(at + 5) % 23]}`,
      ]
    },
  },
  IT_VAT_CODE: { say: 'partita IVA', make: (c) => luhned(`0${c.digits(9)}`) },
  NL_BSN: {
    say: 'BSN',
    make: (c) => mod11(c, 9, [9, 8, 7, 6, 5, 4, 3, 2], (rest) => rest),
  },
  PL_PESEL: {
    say: 'PESEL',
    make: (c) => {
      const payload = birthday(c) + c.digits(4)
      const good = `${payload}${(1000 - sumOf(payload, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3])) % 10}`
      return [good, otherDigit(good)]
    },
  },
  PT_NIF: {
    say: 'NIF',
    make: (c) => {
      const good = tried(() => {
        const payload = `${c.of('123568')}${c.digits(7)}`
        const rest = sumOf(payload, [9, 8, 7, 6, 5, 4, 3, 2]) % 11
        return `${payload}${rest < 2 ? 0 : 11 - rest}`
      })
      return [good, otherDigit(good)]
    },
  },
  BR_CPF: {
    say: 'CPF',
    make: (c) => {
      const payload = c.digits(9)
      const digit = (text: string, from: number): number => {
        const rest =
          (sumOf(
            text,
            Array.from(text, (_, i) => from - i),
          ) *
            10) %
          11
        return rest === 10 ? 0 : rest
      }
      const first = `${payload}${digit(payload, 10)}`
      const good = `${first}${digit(first, 11)}`
      return both(
        [good, otherDigit(good)],
        (text) => `${grouped(text.slice(0, 9), [3, 3, 3], '.')}-${text.slice(9)}`,
      )
    },
  },
  BR_CNPJ: {
    say: 'CNPJ',
    make: (c) => {
      const payload = `${c.digits(8)}0001`
      const digit = (text: string): number => {
        const weights = Array.from(text, (_, i) => ((text.length - 1 - i) % 8) + 2)
        const rest = sumOf(text, weights) % 11
        return rest < 2 ? 0 : 11 - rest
      }
      const first = `${payload}${digit(payload)}`
      const good = `${first}${digit(first)}`
      return [good, otherDigit(good)]
    },
  },
  AU_TFN: {
    say: 'TFN',
    make: (c) => {
      const good = tried(() => {
        const d = `${c.between(1, 9)}${c.digits(8)}`
        return sumOf(d, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 ? d : undefined
      })
      return [good, otherDigit(good)]
    },
  },
  AU_ABN: {
    say: 'ABN',
    make: (c) => {
      const d = c.digits(9)
      const sum = sumOf(`00${d}`, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19])
      const check = 89 - (sum % 89)
      const good = `${two(check + 10 > 99 ? 10 : check + 10)}${d}`
      const isOne = check + 10 <= 99
      return isOne ? [good, otherDigit(good)] : ['51824753556', '51824753557']
    },
  },
  AU_ACN: {
    say: 'ACN',
    make: (c) => {
      const d = `0${c.digits(7)}`
      const good = `${d}${(1000 - sumOf(d, [8, 7, 6, 5, 4, 3, 2, 1])) % 10}`
      return both([good, otherDigit(good)], (text) => grouped(text, [3, 3, 3], ' '))
    },
  },
  KR_RRN: {
    say: '주민등록번호',
    make: (c) => {
      const rest = `${c.between(1, 2)}${c.digits(6)}`
      const day = birthday(c)
      return [`${day}-${rest}`, `${day.slice(0, 2)}13${day.slice(4)}-${rest}`]
    },
  },
  KR_BRN: {
    say: '사업자등록번호',
    make: (c) => {
      const d = `${c.between(101, 899)}${c.digits(6)}`
      const last = Number(d[8]) * 5
      const sum = sumOf(d, [1, 3, 7, 1, 3, 7, 1, 3]) + Math.floor(last / 10) + last
      const good = `${d}${(1000 - sum) % 10}`
      return both([good, otherDigit(good)], (text) => grouped(text, [3, 2, 5], '-'))
    },
  },
  SE_PERSONNUMMER: {
    say: 'personnummer',
    make: (c) =>
      both(luhned(`${birthday(c)}${c.digits(3)}`), (text) => grouped(text, [6, 4], '-')),
  },
  IN_PAN: {
    say: 'PAN',
    make: (c) => {
      const l = c.of(UPPER) + c.of(UPPER) + c.of(UPPER) + 'P' + c.of(UPPER)
      const d = c.digits(4)
      return [`${l}${d}${c.of(UPPER)}`, `${l}${d}${c.digits(1)}`]
    },
  },
  TR_NATIONAL_ID: {
    say: 'TCKN',
    make: (c) => {
      const d = `${c.between(1, 9)}${c.digits(8)}`
      const odd = sumOf(d, [1, 0, 1, 0, 1, 0, 1, 0, 1])
      const even = sumOf(d, [0, 1, 0, 1, 0, 1, 0, 1])
      const tenth = (odd * 7 + even * 9) % 10
      const good = `${d}${tenth}${(odd + even + tenth) % 10}`
      return [good, otherDigit(good)]
    },
  },
  ZA_ID_NUMBER: { say: 'ID', make: (c) => luhned(`${birthday(c)}${c.digits(4)}08`) },
  TH_TNIN: {
    say: 'เลขประจำตัวประชาชน',
    make: (c) => {
      const d = `${c.between(1, 8)}${c.between(10, 96)}${c.digits(9)}`
      const rest = sumOf(d, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11
      const good = `${d}${(11 - rest) % 10}`
      return [good, otherDigit(good)]
    },
  },
  EMAIL_ADDRESS: {
    say: 'mail',
    make: (c) => {
      const n = c.digits(3)
      return [`kim.lee${n}@mail-${n}.example.org`, `kim.lee${n}@mail-${n}`]
    },
  },
  PHONE_NUMBER: {
    say: 'phone',
    make: (c) => {
      const d = c.digits(7)
      return [
        c.of('ab') === 'a' ? `+49 30 ${d}` : `(212) 5${d.slice(0, 2)}-${d.slice(2, 6)}`,
        `v${d.slice(0, 3)}.${d.slice(3, 5)}`,
      ]
    },
  },
  IP_ADDRESS: {
    say: 'address',
    make: (c) => {
      const d = [c.between(1, 223), c.below(256), c.below(256)]
      return c.of('ab') === 'a'
        ? [`${d.join('.')}.${c.below(256)}`, `${d.join('.')}.${c.between(256, 999)}`]
        : [
            `2001:db8:${c.digits(4)}::${c.digits(3)}`,
            `2001:db8:${c.digits(4)}:${c.digits(3)}`,
          ]
    },
  },
  URL: {
    say: 'link',
    make: (c) => {
      const d = c.digits(5)
      return [
        `https://kim:pw${d}Zq@files.example.org/a`,
        `https://files.example.org/a?kim=${d}`,
      ]
    },
  },
  DATE_OF_BIRTH: {
    say: 'date of birth',
    make: (c) => {
      const day = `${two(c.between(1, 28))}.${two(c.between(1, 12))}.${c.between(1950, 2010)}`
      return [day, `unknown, seen ${day.slice(0, 5)}`]
    },
  },
}

/** Beside its name, or in the midst of other words. */
const SENTENCES = [
  '{say}: {value}',
  'My {say} is {value}, thanks.',
  '{say} {value}\nand more',
  'please note my {say}, {value} it is',
]

export function madeRows(): MadeRow[] {
  return Object.entries(MAKERS).flatMap(([entity, { say, make }]) => {
    const chance = new Chance(entity)
    return Array.from({ length: PAIRS }, (_, i) => {
      const said = SENTENCES[i % SENTENCES.length] as string
      return make(chance).map((value, near): MadeRow => ({
        id: `made-${entity}-${i}${near === 1 ? '-near' : ''}`,
        text: said.replace('{say}', say).replace('{value}', () => value),
        entities: [entity],
        expected_matches: 1 - near,
      }))
    }).flat()
  })
}

if (isProgram(import.meta.url))
  for (const row of madeRows()) process.stdout.write(`${JSON.stringify(row)}\n`)
