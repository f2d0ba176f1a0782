import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ibanHolds, isCardNumber, luhn, ssnHolds } from '../../src/detect/checksums.js'
import { findPersonal, personalData } from '../../src/detect/personal.js'
import { recordedCases } from '../support/needs.js'

/** What was found, as it stands in the text. */
function shown(text: string): [string, string][] {
  return findPersonal(text).map(({ kind, start, end }) => [kind, text.slice(start, end)])
}

describe('check digits', () => {
  it('hold for the published test numbers of card schemes', () => {
    // From the schemes' own pages for developers.
    for (const number of [
      '4111111111111111',
      '5555555555554444',
      '378282246310005',
      '6011111111111117',
      '3530111333300000',
      '30569309025904',
    ]) {
      assert.ok(isCardNumber(number), number)
      const last = (Number(number.at(-1)) + 1) % 10
      assert.ok(!isCardNumber(`${number.slice(0, -1)}${last}`), `not ${number}`)
    }
    assert.ok(luhn('79927398713'), 'the example of ISO/IEC 7812')
    assert.ok(!isCardNumber('1234567890123452'), 'of no scheme')
  })

  it('hold for the IBANs of the registry, and not when digits change places', () => {
    for (const iban of [
      'DE89370400440532013000',
      'GB29NWBK60161331926819',
      'FR1420041010050500013M02606',
      'NO9386011117947',
      'MT84MALT011000012345MTLCAST001S',
    ]) {
      assert.ok(ibanHolds(iban), iban)
      const [a, b] = [iban.at(-2), iban.at(-1)]
      if (a !== b) assert.ok(!ibanHolds(`${iban.slice(0, -2)}${b}${a}`), `not ${iban}`)
    }
    assert.ok(!ibanHolds('ZZ89370400440532013000'))
  })

  it('leave out what the Social Security Administration never gives', () => {
    assert.ok(ssnHolds('123456789'))
    for (const never of ['000121234', '666121234', '900121234', '123001234', '123120000'])
      assert.ok(!ssnHolds(never), never)
  })
})

describe('personal data', () => {
  it('is found as people write it', () => {
    assert.deepEqual(shown('pay 4111 1111 1111 1111, or 378282246310005.'), [
      ['credit_card', '4111 1111 1111 1111'],
      ['credit_card', '378282246310005'],
    ])
    assert.deepEqual(shown('DE89 3704 0044 0532 0130 00 and 123-45-6789'), [
      ['iban', 'DE89 3704 0044 0532 0130 00'],
      ['us_ssn', '123-45-6789'],
    ])
    assert.deepEqual(shown('write to kim.lee+x@mail.example.org.'), [
      ['email', 'kim.lee+x@mail.example.org'],
    ])
    assert.deepEqual(shown('(212) 555-0100, 212-555-0100 or +49 30 901820'), [
      ['phone', '(212) 555-0100'],
      ['phone', '212-555-0100'],
      ['phone', '+49 30 901820'],
    ])
    assert.deepEqual(shown('at 192.0.2.17, 12 Main Street'), [
      ['ip_address', '192.0.2.17'],
      ['street_address', '12 Main Street'],
    ])
    assert.deepEqual(
      shown('My name is Kim. Date of birth: 1990-04-01').map(([kind]) => kind),
      ['person_name', 'date_of_birth'],
    )
  })

  it('is not seen where a check digit or a neighbour says otherwise', () => {
    for (const text of [
      '4111 1111 1111 1112',
      '411111111111111x',
      'order 123-45-67890',
      'DE89 3704 0044 0532 0130 01',
      'version 1.2.3.4.5',
      '300.1.1.1',
      'a @ b, foo@bar, @handle',
      'my name is not important',
      'S3, C4, GPT-4o, 2024-08-06',
      '',
      // Names of programs, times, network cards (IEEE 802), fingerprints of keys.
      'std::deadbeef, a::b, Face::Add(1), fe::1',
      'from 10:30 to 12:45:07, at 10::30',
      '02:00:5e:10:00:01, 00:11:22:33:44:55:66:77',
      'SHA256 aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99',
      '2001:db8::1::2, 12345::1, 2001:db8:0:0:0:0:0:0:1',
      // Numbers of companies and of orders, however they are grouped.
      'company number 212 555 0188',
      'Registered in England, no. 212-555-0188',
      'VAT: 212-555-0188',
      'ABN 53 004 085 616, NIP 526-104-08-28, SIRET 732 829 320 00074',
      'EIN 12-3456789, CHE-123.456.789, HRB 123456, DUNS 15-048-3782',
      'Company numbers: 212.555.0188',
      'invoice 212-555-0188',
      '1+12345678',
      '2.123.45.6789',
      'de89 3704 0044 0532 0130 01',
    ])
      assert.deepEqual(shown(text), [], text)
  })

  it('is found in the other forms in which it is written', () => {
    const forms: readonly (readonly [string, string])[] = [
      // RFC 4291 §2.2 and RFC 4007 §11, RFC 5952's recommendations among them.
      ['ip_address', '2001:db8::1'],
      ['ip_address', '2001:DB8:0:0:8:800:200C:417A'],
      ['ip_address', '2001:db8:85a3::8a2e:370:7334'],
      ['ip_address', 'fe80::1ff:fe23:4567:890a%eth0'],
      ['ip_address', '::ffff:192.0.2.7'],
      ['ip_address', '2001:db8::'],
      ['ip_address', '192.0.2.7'],
      ['us_ssn', '123.45.6789'],
      ['us_ssn', '123 45 6789'],
      ['phone', '(212)555-0188'],
      ['phone', '(212) 555.0188'],
      ['phone', '212/555-0188'],
      ['phone', '1-212-555-0188'],
      ['phone', '1 (212) 555-0188'],
      ['phone', '+1(212)555-0188'],
      ['email', 'kim@xn--bcher-kva.example'],
      ['email', 'kim@mail.xn--p1ai'],
      ['email', 'kim@bücher.example'],
      ['email', 'jörgé@example.org'],
      ['email', "o'neil@example.org"],
      ['email', 'a@b.c.d.e.f.g.example'],
      ['iban', 'DE89-3704-0044-0532-0130-00'],
      ['iban', 'de89 3704 0044 0532 0130 00'],
      ['iban', 'GB29.NWBK.6016.1331.9268.19'],
    ]
    for (const [kind, text] of forms)
      for (const [before, after] of [
        ['', ''],
        ['', '.'],
        ['it is ', '. And more'],
        ['(', ')'],
        ['is:\n', ', or'],
      ]) {
        // A full stop behind `::` or a zone is none of it.
        const whole = `${before}${text}${after}`
        const found = shown(whole)
        assert.ok(
          found.some(([is, as]) => is === kind && as.replace(/\.$/, '') === text),
          `${whole}: ${JSON.stringify(found)}`,
        )
      }
  })

  it('is found right behind a colon and other signs', () => {
    for (const sign of [':', '::', '=', '#', '"', '*', '|', '\n', '：'.normalize('NFKC')])
      for (const number of [
        '4111111111111111',
        '192.0.2.7',
        '123-45-6789',
        '+4930901820',
      ])
        assert.equal(shown(`fade${sign}${number}`).length, 1, `${sign}${number}`)
  })

  it('is a telephone where the words before it say so', () => {
    for (const text of ['company phone: 212-555-0188', 'order by phone (212)555-0188'])
      assert.deepEqual(
        shown(text).map(([kind]) => kind),
        ['phone'],
        text,
      )
  })

  it('is found however much of it there is', () => {
    const mails = 'a@b.example '.repeat(2000)
    assert.equal(shown(`${mails} 4111 1111 1111 1111`).length, 2001)
    const ones = '1 '.repeat(5000)
    assert.deepEqual(shown(`${ones}and 4111 1111 1111 1111`), [
      ['credit_card', '4111 1111 1111 1111'],
    ])
    const said = 'my name is '.repeat(3000)
    assert.deepEqual(
      shown(`${said}Kim`).map(([kind]) => kind),
      ['person_name'],
    )
    assert.deepEqual(
      shown('İ my name is Kim').map(([kind]) => kind),
      ['person_name'],
    )
  })

  it('is told by kind and number alone', () => {
    assert.deepEqual(personalData('a@b.example c@d.example 4111111111111111'), [
      { kind: 'credit_card', count: 1 },
      { kind: 'email', count: 2 },
    ])
  })

  it('is found at either end of a long text', () => {
    const text = `c@d.example ${'x '.repeat(100_000)}a@b.example`
    assert.deepEqual(shown(text), [
      ['email', 'c@d.example'],
      ['email', 'a@b.example'],
    ])
  })

  it('agrees with recorded texts on the kinds that it claims', function () {
    const file = recordedCases(this, 'pii/presidio.jsonl')
    const claimed = { CREDIT_CARD: 'credit_card', IBAN_CODE: 'iban', US_SSN: 'us_ssn' }
    const wrong: string[] = []
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const row = JSON.parse(line) as {
        text: string
        entities: string[] | null
        expected_matches: number
      }
      const [entity] = row.entities ?? []
      const kind = claimed[entity as keyof typeof claimed] as string | undefined
      if (kind === undefined) continue
      const found = shown(row.text).filter(([of]) => of === kind).length
      if (found !== row.expected_matches) wrong.push(row.text)
    }
    assert.deepEqual(wrong, [])
  })
})
