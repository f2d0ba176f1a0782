import assert from 'node:assert/strict'
import { blockPage, opensAt } from '../../../src/proxy/answers/block-page.js'
import {
  BLOCK_TEXTS,
  languageOf,
  LANGUAGES,
} from '../../../src/proxy/answers/block-texts.js'

const ABOUT = {
  policy: 'bedtime',
  reason: 'it is bedtime (21:00 to 06:00)',
  requestId: 'r-1',
  endpoint: 'chatgpt.com',
  atMs: Date.parse('2026-03-04T21:30:00Z'),
  zone: 'Europe/Berlin',
}

describe('the language of the block page', () => {
  for (const [field, language] of [
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['en;q=0.5, FR-ca;q=0.9', 'fr'],
    ['pt-BR, es;q=0.2', 'es'],
    ['de;q=0, en', 'en'],
    ['den', 'en'],
    [`${'xx,'.repeat(200)}de`, 'en'],
    ['de;q=nonsense', 'en'],
  ] as const)
    it(`is ${language} for ${JSON.stringify(field)?.slice(0, 40)}`, () => {
      assert.equal(languageOf(field), language)
    })

  it('has the same texts in each, none left as it was', () => {
    const { why, ...rest } = BLOCK_TEXTS.en
    for (const language of LANGUAGES.filter((one) => one !== 'en')) {
      const other = BLOCK_TEXTS[language]
      assert.deepEqual(Object.keys(other.why), Object.keys(why), language)
      for (const [policy, text] of Object.entries(why))
        assert.notEqual(other.why[policy], text, `${language} ${policy}`)
      assert.deepEqual(Object.keys(other), [...Object.keys(rest), 'why'])
      assert.match(other.opens, /TIME/)
      assert.match(other.code, /CODE/)
    }
  })

  it('is that of the whole page, in the zone of the household', () => {
    const page = blockPage({ ...ABOUT, language: 'de', code: '7F3-K2M', token: 't' })
    for (const part of [
      '<html lang="de">',
      '<h1>Anfrage von YORI angehalten</h1>',
      'Um 06:00 geht es wieder.',
      'der Code ist <code>7F3-K2M</code>.',
      '2026-03-04 22:30 GMT+1',
    ])
      assert.ok(page.includes(part), part)
  })

  it('says whose device it is, where somebody has said so', () => {
    const page = blockPage({ ...ABOUT, device: 'Handy <Mia>', language: 'de' })
    assert.match(page, /<dt>Gerät<\/dt><dd>Handy &lt;Mia&gt;<\/dd>/)
    assert.doesNotMatch(blockPage({ ...ABOUT, language: 'de' }), /Gerät/)
  })
})

describe('when it opens again', () => {
  for (const [policy, reason, expected] of [
    ['bedtime', 'it is bedtime (21:00 to 06:00)', '06:00'],
    ['time_rules', 'time rule night (21:00 to 07:15)', '07:15'],
    ['person_limits', 'closed for Mia from 19:00 to 07:00', '07:00'],
    ['person_limits', "today's 30 messages of Mia are used up", undefined],
    ['pause', 'paused until 19:10', '19:10'],
    ['pause', 'paused until 2026-03-05 01:00', '2026-03-05 01:00'],
    ['bedtime', 'go to bed', undefined],
    ['own', 'closed from 19:00 to 07:00', undefined],
  ] as const)
    it(`is ${expected ?? 'not said'} for ${policy}: ${reason}`, () => {
      assert.equal(opensAt({ policy, reason }), expected)
    })
})
