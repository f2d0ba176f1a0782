import assert from 'node:assert/strict'
import { BadParams } from '../../src/policy/params.js'
import type { Opinion, PolicyInput } from '../../src/policy/policy.js'
import { loadRegoPolicy } from '../../src/policy/rego-policy.js'
import type { RegoOptions, RegoPolicy } from '../../src/policy/rego-policy.js'
import { ManualClock } from '../support/manual-clock.js'
import { input, NOON } from './support.js'

function loaded(
  rules: string,
  options: Partial<RegoOptions> = {},
  text = `package yori.sample\n${rules}`,
): RegoPolicy {
  const result = load(text, options)
  assert.ok(result.kind === 'ok', JSON.stringify(result))
  return result.policy
}

function load(text: string, options: Partial<RegoOptions> = {}) {
  return loadRegoPolicy({
    name: 'sample',
    source: { name: 'sample.rego', stem: 'sample', text },
    lib: [],
    params: {},
    clock: new ManualClock(),
    ...options,
  })
}

function said(policy: RegoPolicy, about: PolicyInput = input): Opinion | undefined {
  return policy.judge(about, { nowMs: NOON })
}

describe('a policy in Rego', () => {
  const outputs: readonly (readonly [string, Opinion | undefined])[] = [
    ['', undefined],
    ['deny := true', { kind: 'deny' }],
    ['deny := false', undefined],
    ['deny := true\nmessage := "no"', { kind: 'deny', message: 'no' }],
    ['deny contains "a"\ndeny contains "b"', { kind: 'deny', message: 'a; b' }],
    ['deny contains "a" if false', undefined],
    ['message := "alone"', undefined],
    ['redact := true', { kind: 'redact' }],
    ['alert contains "a"\nmessage := "other"', { kind: 'alert', message: 'a' }],
    ['allow := true', { kind: 'allow' }],
    ['allow := false', { kind: 'deny' }],
    ['default allow := false\nallow if input.prompt == "x"', { kind: 'deny' }],
    ['alert := true\ndeny := true\nallow := true\nredact := true', { kind: 'deny' }],
    ['alert := true\nallow := true\nredact := true', { kind: 'redact' }],
    ['alert := true\nallow := true', { kind: 'alert' }],
  ]
  for (const [rules, opinion] of outputs) {
    it(`says ${JSON.stringify(opinion)} by ${JSON.stringify(rules)}`, () => {
      assert.deepEqual(said(loaded(rules)), opinion)
    })
  }

  it('fails, and does not guess, when a word has another form', () => {
    assert.throws(() => said(loaded('deny := 1')), /deny is neither true or false/)
    assert.throws(() => said(loaded('deny := {"a": "b"}')))
    assert.throws(() => said(loaded('deny := {1}')))
  })

  it('sees the clock that it is given', () => {
    const policy = loaded('deny if time.now_ns() == 1772625600000000000')
    assert.deepEqual(said(policy), { kind: 'deny' })
  })

  it('is named with file, line and column when it does not hold', () => {
    const wrong = load('package yori.sample\n\ndeny if {\n\tinput.prompt ==\n}')
    assert.ok(wrong.kind === 'invalid')
    const [error] = wrong.errors
    assert.equal(error?.file, 'sample.rego')
    assert.equal(error.line, 5)
    assert.equal(error.column, 1)
  })

  it('must bear the package of its file', () => {
    const wrong = load('# first\npackage yori.other\ndeny := true')
    assert.ok(wrong.kind === 'invalid')
    const [error] = wrong.errors
    assert.equal(error?.line, 2)
    assert.match(error.message, /must be yori\.sample/)
  })

  it('reads more than its budget allows as no opinion but as too much', () => {
    const policy = loaded('deny if count([x | some x in numbers.range(1, 100000)]) == 0')
    assert.deepEqual(said(policy), { kind: 'exhausted' })
  })

  it('calls shared modules, and what they look at counts as its own', () => {
    const lib = [
      { name: 'lib/a.rego', text: 'package yori.lib.a\nlate if input.context.hour > 20' },
      { name: 'lib/b.rego', text: 'package yori.lib.b\nlong if count(input.prompt) > 1' },
    ]
    const policy = loaded('import data.yori.lib.a\ndeny if a.late', { lib })
    assert.deepEqual([...policy.reads.input], ['context.hour'])
    assert.equal(policy.readsContent, false)
    const both = loaded('deny if data.yori.lib.b.long', { lib })
    assert.equal(both.readsContent, true)
  })

  it('is described by the first paragraph of its comment', () => {
    const text = '# Says no\n# to all.\n#\n# More.\npackage yori.sample\ndeny := true'
    assert.equal(loaded('', {}, text).description, 'Says no to all.')
  })
})

describe('what a policy looks at', () => {
  const rows: readonly (readonly [string, readonly string[], boolean])[] = [
    ['deny if input.context.hour > 3', ['context.hour'], false],
    ['deny if input.device.groups[_] == "x"', ['device.groups'], false],
    ['deny if some g in input.device.groups', ['device.groups'], false],
    ['deny if input["prompt"] == ""', ['prompt'], true],
    ['deny if { some name; input[name] == 1 }', [''], true],
    ['deny if f(input)\nf(x) if x.prompt == ""', [''], true],
    ['import input.findings as f\ndeny if count(f) > 0', ['findings'], true],
    ['import input.request\ndeny if request.body.n == 1', ['request.body.n'], true],
    ['deny if input.request.method == "GET"', ['request.method'], false],
    ['deny if input.request == {}', ['request'], true],
    ['deny if { x := input.device; x.ip == "1" }', ['device'], false],
    [
      'deny if input.counters.groups[input.model].month == 1',
      ['counters.groups', 'model'],
      true,
    ],
  ]
  for (const [rules, paths, content] of rows) {
    it(`is ${paths.join(', ') || 'everything'} in ${JSON.stringify(rules)}`, () => {
      const policy = loaded(rules)
      assert.deepEqual([...policy.reads.input].sort(), paths)
      assert.equal(policy.readsContent, content)
    })
  }
})

describe('the parameters of a policy', () => {
  const rules = `
parameters := {
  "hour": {"type": "integer", "minimum": 0, "maximum": 24, "default": 21},
  "days": {"type": "days", "default": []},
  "who": {"type": "devices", "default": []},
  "level": {"type": "string", "enum": ["low", "high"], "default": "low"},
  "names": {"type": "strings"},
  "prices": {"type": "numbers", "minimum": 0, "default": {}},
  "on": {"type": "boolean", "default": true},
}
message := json.marshal(data.params)
deny := true`
  const given = (params: Record<string, unknown>): unknown => {
    const opinion = said(loaded(rules, { params: { names: ['a'], ...params } }))
    assert.ok(opinion?.kind === 'deny' && opinion.message !== undefined)
    return JSON.parse(opinion.message)
  }

  it('have their defaults, and one form', () => {
    const defaults = { hour: 21, days: [], who: [], level: 'low', prices: {}, on: true }
    assert.deepEqual(given({}), { ...defaults, names: ['a'] })
    const who = ['02-00-5E-10-00-01', '::ffff:192.0.2.7']
    const one = { who: ['02:00:5e:10:00:01', '192.0.2.7'], days: ['monday', 'saturday'] }
    assert.deepEqual(given({ who, days: ['Mon', 'saturday'] }), {
      ...defaults,
      ...one,
      names: ['a'],
    })
  })

  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ hour: '21' }, /^hour is a whole number from 0 to 24$/],
    [{ hour: 25 }, /^hour is/],
    [{ hour: 1.5 }, /^hour is/],
    [{ days: ['someday'] }, /someday is not a day/],
    [{ who: ['tablet'] }, /tablet is neither an IP nor a MAC address/],
    [{ level: 'middle' }, /^level is one of low, high$/],
    [{ names: 'a' }, /^names is a list of texts$/],
    [{ prices: { a: -1 } }, /^prices is an object of numbers from 0$/],
    [{ on: 'yes' }, /^on is true or false$/],
    [{ huor: 3 }, /^huor is not a parameter; there are days, hour,/],
    [{ names: undefined }, /^names is needed: a list of texts$/],
  ]
  for (const [params, message] of wrong) {
    it(`are refused when ${JSON.stringify(params)}`, () => {
      assert.throws(
        () => given(params),
        (cause) => cause instanceof BadParams && message.test(cause.message),
      )
    })
  }

  it('are what was given when the policy declares none', () => {
    const policy = loaded('deny := true\nmessage := data.params.x', {
      params: { x: 'y' },
    })
    assert.deepEqual(said(policy), { kind: 'deny', message: 'y' })
  })
})

describe('an answer that is kept', () => {
  /** Tells each evaluation by the line of its rule. */
  function counting(rules: string) {
    const clock = new ManualClock(NOON)
    const policy = loaded(rules, { clock })
    return { policy, clock }
  }
  const hello = { ...input, prompt: 'hello' }
  /** Whether both questions got the very same object: the second was not evaluated. */
  function isShared(policy: RegoPolicy, a: PolicyInput, b: PolicyInput): boolean {
    return said(policy, a) === said(policy, b)
  }

  it('serves the same question for a minute and no longer', () => {
    const { policy, clock } = counting('deny if input.prompt == "hello"')
    const first = said(policy, hello)
    clock.advance(59_999)
    assert.equal(said(policy, { ...hello }), first)
    clock.advance(1)
    assert.notEqual(said(policy, { ...hello }), first)
  })

  it('never crosses devices, although the policy looks at the prompt alone', () => {
    const { policy } = counting('deny if input.prompt == "hello"')
    const { device } = input
    const others = [
      { ...device, ip: '192.0.2.11' },
      { ...device, mac: '02:00:5e:10:00:02' },
      { ...device, name: 'Kim' },
      { ...device, groups: ['children'] },
    ]
    assert.ok(isShared(policy, hello, { ...hello }))
    for (const other of others) {
      assert.ok(!isShared(policy, hello, { ...hello, device: other }))
    }
  })

  it('never crosses times, counters, models or findings that the policy looks at', () => {
    const { policy } = counting(
      `deny if {
        input.prompt == "hello"
        input.context.hour >= 0
        input.counters.device.today.requests >= 0
        count(input.findings) >= 0
      }`,
    )
    assert.ok(isShared(policy, hello, { ...hello }))
    const later = { ...hello, context: { ...hello.context, hour: 13 } }
    assert.ok(!isShared(policy, hello, later))
    const { counters } = hello
    const today = { ...counters.device.today, requests: 7 }
    const more = { ...counters, device: { ...counters.device, today } }
    assert.ok(!isShared(policy, hello, { ...hello, counters: more }))
    const findings = [{ kind: 'email', count: 1, who: 'person' as const }]
    assert.ok(!isShared(policy, hello, { ...hello, findings }))
  })

  it('never crosses loads', () => {
    const rules = 'deny if input.prompt == "hello"'
    const [a, b] = [loaded(rules), loaded(rules)]
    assert.notEqual(said(a, hello), said(b, hello))
  })

  it('is not kept of a policy that asks the clock, chance or the whole request', () => {
    for (const also of [
      'time.now_ns() > 0',
      'rand.intn("x", 2) >= 0',
      'input.request.id != ""',
      'input.request.headers == {}',
      'count(input.request) > 0',
    ]) {
      const { policy } = counting(`deny if { input.prompt == "hello"; ${also} }`)
      assert.ok(!isShared(policy, hello, { ...hello }), also)
    }
  })

  it('tells long prompts apart by more than their beginning', () => {
    const { policy } = counting('deny if count(input.prompt) > 1')
    const long = 'x'.repeat(5000)
    const asking = (prompt: string) => ({ ...input, prompt })
    assert.ok(isShared(policy, asking(`${long}a`), asking(`${long}a`)))
    assert.ok(!isShared(policy, asking(`${long}a`), asking(`${long}b`)))
  })
})
