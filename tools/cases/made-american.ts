/** Numbers of the United States and Canada that are made up by their issuers' rules. */
import {
  both,
  grouped,
  luhnDigit,
  luhned,
  otherDigit,
  sumOf,
  two,
  UPPER,
} from './made-numbers.js'
import type { Make } from './made-numbers.js'

export const AMERICAN: Readonly<Record<string, { say: string; make: Make }>> = {
  US_SSN: {
    say: 'SSN',
    make: (c) => {
      const rest = `${two(c.between(1, 99))}-${c.between(1000, 9999)}`
      return [
        `${c.between(100, 665)}-${rest}`,
        `${c.of('09') === '0' ? '000' : `9${two(c.below(50))}`}-${two(c.between(1, 49))}-${c.between(1000, 9999)}`,
      ]
    },
  },
  US_ITIN: {
    say: 'ITIN',
    make: (c) => {
      const rest = c.digits(4)
      return [
        `9${c.digits(2)}-${c.between(70, 88)}-${rest}`,
        `9${c.digits(2)}-${c.between(10, 49)}-${rest}`,
      ]
    },
  },
  US_PASSPORT: {
    say: 'US passport',
    make: (c) => {
      const d = `4${c.digits(7)}`
      const a = c.of(UPPER)
      return [`${a}${d}`, `${a}${d.slice(1)}`]
    },
  },
  US_DRIVER_LICENSE: {
    say: 'driver license',
    make: (c) => {
      const d = `7${c.digits(6)}`
      const a = c.of(UPPER)
      return [`${a}${d}`, `${a}${a}${a}${a}${d}`]
    },
  },
  US_BANK_NUMBER: {
    say: 'bank account',
    make: (c) => {
      const d = `6${c.digits(11)}`
      return [d, d.slice(0, 6)]
    },
  },
  ABA_ROUTING_NUMBER: {
    say: 'routing number',
    make: (c) => {
      const payload = `0${c.between(1, 9)}${c.digits(6)}`
      const good = `${payload}${(1000 - sumOf(payload, [3, 7, 1, 3, 7, 1, 3, 7])) % 10}`
      return [good, otherDigit(good)]
    },
  },
  MEDICAL_LICENSE: {
    say: 'DEA number',
    make: (c) => {
      const d = c.digits(6)
      const good = `${c.of('ABFGM')}${c.of(UPPER)}${d}${sumOf(d, [1, 2, 1, 2, 1, 2]) % 10}`
      return [good, otherDigit(good)]
    },
  },
  US_NPI: {
    say: 'NPI',
    make: (c) => {
      const payload = `1${c.digits(8)}`
      const good = payload + luhnDigit(`80840${payload}`)
      return [good, otherDigit(good)]
    },
  },
  CA_SIN: {
    say: 'SIN',
    make: (c) =>
      both(luhned(`${c.between(1, 7)}${c.digits(7)}`), (text) =>
        grouped(text, [3, 3, 3], '-'),
      ),
  },
}
