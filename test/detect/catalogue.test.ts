import assert from 'node:assert/strict'
import { DETECT_FILES, loadRules, parseRules } from '../../config/read-detect.js'
import { formatProblem } from '../../config/problem.js'
import type { Problem } from '../../config/problem.js'
import { atOnce } from '../../src/core/resting.js'
import { Detector } from '../../src/detect/detector.js'
import { lookedAt } from '../../src/detect/look.js'
import { patternProblem } from '../../src/detect/rule.js'
import { chance, madeUp } from '../support/made-up.js'

const loaded = loadRules()
assert.ok(loaded.kind === 'ok')
const { rules, detector } = loaded

const found = (text: string, kind: string): number =>
  detector.find(text, { said: 'tool' }).filter((one) => one.kind === kind).length

describe('the catalogue of detection rules', () => {
  it('finds each example, and what is around it changes nothing', () => {
    const next = chance(1)
    for (const { id, kind, example } of rules)
      for (let i = 0; i < 10; i++) {
        const text = madeUp(example, next)
        assert.ok(found(text, kind) > 0, `${id}: ${text}`)
      }
  })

  it('knows the words beside a number in a text that was folded, too', () => {
    const next = chance(4)
    for (const { id, kind, context, example } of rules)
      for (const word of context ?? []) {
        const text = `they say ${word} ${madeUp(example, next)} and go on`
        const found = atOnce(lookedAt(text, detector, { said: 'person' }))
        assert.ok(
          found.some((one) => one.kind === kind),
          `${id}: ${text}`,
        )
      }
  })

  it('finds no near miss', () => {
    const next = chance(2)
    for (const { id, kind, near } of rules)
      for (let i = 0; i < 10; i++) {
        const text = madeUp(near, next)
        assert.equal(found(text, kind), 0, `${id}: ${text}`)
      }
  })

  it('knows secrets of eighty kinds, and finds them within a sentence and in a file', () => {
    const next = chance(3)
    const secrets = rules.filter((rule) => rule.class === 'secret' && rule.by !== 'named')
    assert.ok(new Set(secrets.map(({ kind }) => kind)).size >= 80)
    for (const { id, kind, example } of secrets) {
      const text = madeUp(example, next)
      for (const around of [
        `please use ${text} for it, and tell nobody`,
        `export SOME_KEY="${text}"\n`,
        `{"value":"${text}"}`,
        `(${text})`,
      ])
        assert.ok(found(around, kind) > 0, `${id}: ${around}`)
    }
  })

  it('names every finding by rule, and where it stands', () => {
    const text = 'so my PESEL is 44051401458, and I live here'
    const [one] = detector.find(text)
    assert.equal(text.slice(one?.start, one?.end), '44051401458')
    assert.deepEqual([one?.class, one?.kind, one?.rule], ['pii', 'PL_PESEL', 'pl-pesel'])
    assert.match(one?.why ?? '', /check digits, beside "pesel"/)
  })

  it("takes a household's own rules over those that come with it", () => {
    const own: Problem[] = []
    const more = parseRules(
      [
        'rules:',
        '  - id: club-card',
        '    kind: CLUB_CARD',
        '    confidence: 0.8',
        '    forms: [AA ddd ddd]',
        '    example: KB 123 456',
        '    near: KB 123 45',
        '    source: our club',
      ].join('\n'),
      'own.yaml',
      own,
    )
    assert.deepEqual(own, [])
    const both = new Detector([...rules, ...more])
    assert.deepEqual(
      both.find('card KB 734 120 please').map(({ kind }) => kind),
      ['CLUB_CARD'],
    )
  })

  it('says file, line and what is wrong', () => {
    const problems: Problem[] = []
    const file = [
      'rules:',
      '  - {id: a, kind: A, confidence: 0.8, by: prefix, prefixes: [k_], body: "(a+)+", example: x, near: y, source: z}',
      '  - {id: b, kind: B, confidence: 2, forms: [dd], example: x, near: y, source: z}',
    ].join('\n')
    parseRules(file, 'own.yaml', problems)
    assert.match(formatProblem(problems[0] as Problem), /^own\.yaml:3:/)
    const patterns: Problem[] = []
    parseRules(file.replace('confidence: 2', 'confidence: 1'), 'own.yaml', patterns)
    assert.match(
      formatProblem(patterns[0] as Problem),
      /^own\.yaml:2:\d+ rules\[0\]\.body: /,
    )
  })

  it('takes no pattern that could take longer than its length', () => {
    for (const wrong of [
      '(a+)+',
      'a*',
      'a+',
      '.*',
      '[a-z]{2,}',
      '(?=a)',
      '(a|b)',
      'a{1,9999}',
      '',
    ])
      assert.notEqual(patternProblem(wrong), undefined, wrong)
    for (const right of ['[a-z]{2,9}', 'abc[.]\\d{3}', '(?:x|y-)[0-9]{4}=?'])
      assert.equal(patternProblem(right), undefined, right)
    assert.equal(DETECT_FILES.length, 3)
  })
})
