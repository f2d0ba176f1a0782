/** The words of the trust page: whole in each language, with the same commands and places to fill. */
import assert from 'node:assert/strict'
import { LANGUAGES } from '../../../src/proxy/answers/block-texts.js'
import { deviceKindOf } from '../../../src/proxy/site/device-kind.js'
import { trustPage } from '../../../src/proxy/site/trust-page.js'
import { STEPS_BY_LANGUAGE } from '../../../src/proxy/site/trust-steps.js'
import { TRUST_TEXTS } from '../../../src/proxy/site/trust-texts.js'

const OTHERS = LANGUAGES.filter((one) => one !== 'en')
/** Places to fill: capitals that are no word of a language. */
const PLACES = /\b(?:NAMES?|WHEN|URL|WHY)\b/g

function flat(texts: object, path = ''): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'string'
      ? [[`${path}${key}`, value] as [string, string]]
      : flat(value as object, `${path}${key}.`),
  )
}

function codes(text: string): string[] {
  return text.split('`').filter((_, index) => index % 2 === 1)
}

describe('the texts of the trust page', () => {
  for (const language of OTHERS) {
    it(`are whole in ${language}, with the same places and commands`, () => {
      const other = new Map(flat(TRUST_TEXTS[language]))
      const english = flat(TRUST_TEXTS.en)
      assert.deepEqual(
        [...other.keys()],
        english.map(([key]) => key),
      )
      for (const [key, text] of english) {
        const told = other.get(key) ?? ''
        assert.notEqual(told, text, key)
        assert.deepEqual(told.match(PLACES), text.match(PLACES), key)
        assert.deepEqual(codes(told), codes(text), key)
      }
    })

    it(`have the steps of each device in ${language}, with the same commands`, () => {
      const other = STEPS_BY_LANGUAGE[language]
      for (const [index, english] of STEPS_BY_LANGUAGE.en.entries()) {
        const steps = other[index]
        assert.ok(steps !== undefined)
        assert.equal(steps.kind, english.kind)
        assert.equal(steps.form, english.form)
        assert.equal(steps.steps.length, english.steps.length, english.kind)
        assert.deepEqual(
          steps.steps.flatMap(codes),
          english.steps.flatMap(codes),
          english.kind,
        )
        for (const part of ['aside', 'limits'] as const) {
          assert.equal(steps[part] === undefined, english[part] === undefined)
          if (english[part] !== undefined) assert.notEqual(steps[part], english[part])
        }
      }
    })

    it(`leave no English on the page in ${language}, and no place unfilled`, () => {
      const root = { sha256: 'AA:BB', path: '/yori-root' }
      const page = trustPage({
        guess: deviceKindOf('Mozilla/5.0 (Windows NT 10.0; rv:130.0) Firefox/130.0'),
        seenAs: ['192.168.1.23'],
        root,
        staged: { ...root, path: '/yori-next-root', from: '2026-03-04' },
        constrained: true,
        testName: 'api.openai.com',
        address: 'http://192.168.1.1:8443/',
        language,
      })
      const text = page
        .replace(/<(script|style)>[^]*?<\/\1>/g, '')
        .replace(/<code[^]*?<\/code>/g, '')
        .replace(/<[^>]*>/g, ' ')
      assert.doesNotMatch(text, PLACES)
      assert.doesNotMatch(text, /\b(?:the|this|with|and|trust|device|certificate)\b/i)
      for (const value of ['2026-03-04', '192.168.1.1:8443', '/yori-next-root.cer'])
        assert.ok(page.includes(value), value)
    })
  }
})
