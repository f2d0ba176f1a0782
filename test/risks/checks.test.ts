/**
 * 200 agents made up, 40 of each sort: honest ones, which vary as people's do, and four that are
 * not. What each check says of them is counted: none of an honest agent's is grave, and what
 * an agent was made for is found in all.
 */
import assert from 'node:assert/strict'
import { loadRules } from '../../config/read-detect.js'
import { knownKind } from '../../src/detect/personal-kinds.js'
import { assess, NOT_VISIBLE } from '../../src/risks/assess.js'
import { CHECKS, kindOf } from '../../src/risks/checks.js'
import type { RequestFact, RiskFacts, SessionFacts } from '../../src/risks/words.js'

/** Numerical Recipes' generator: the same agents in each run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const TOOLS = ['read_file', 'search', 'write_file', 'run']
const AGENTS = 40

function honest(seed: number): RiskFacts {
  const next = chance(seed)
  const sessions = Array.from({ length: 12 }, (_, n): SessionFacts => {
    const calls = 8 + Math.floor(8 * next())
    return {
      id: `s${n}`,
      request: `r${n}`,
      tokens: 4_000 + Math.floor(8_000 * next()),
      minutes: 4 + 6 * next(),
      tools: Array.from({ length: calls }, (_, at) => TOOLS[at % TOOLS.length] ?? ''),
    }
  })
  const counts = { calls: 150, errors: Math.floor(6 * next()), uninspected: 0 }
  const known = { models: ['gpt-5'], offered: TOOLS, findings: [], judged: [] }
  return { sessions, ...counts, ...known }
}

const fact = (name: string, reason = ''): RequestFact => ({
  ...{ request: 'r3', session: 's3', name, reason },
})

type Made = (facts: RiskFacts) => RiskFacts

/** By sort: how it differs from an honest one, and which checks are to say so. */
const SORTS: Readonly<Record<string, readonly [Made, readonly string[]]>> = {
  looping: [
    (facts) => ({
      ...facts,
      sessions: facts.sessions.map((one, at) =>
        at === 3
          ? { ...one, tokens: 400_000, tools: new Array<string>(300).fill('search') }
          : one,
      ),
    }),
    ['RESOURCE_001', 'RESOURCE_002', 'RESOURCE_004', 'RESOURCE_005', 'BEHAV_002'],
  ],
  poisoned: [
    (facts) => ({
      ...facts,
      findings: [fact('TOOL_ORDER')],
      judged: [fact('mcp_tools', 'the tool x describes itself otherwise than before')],
    }),
    ['INJECT_001', 'TOOL_002'],
  ],
  exfiltrating: [
    (facts) => ({ ...facts, findings: [fact('GITHUB_TOKEN'), fact('email')] }),
    ['SECRET_001', 'PII_001'],
  ],
  destructive: [
    (facts) => ({ ...facts, judged: [fact('destructive_tools', 'rm -rf')] }),
    ['TOOL_001'],
  ],
}

const failing = (facts: RiskFacts): readonly string[] =>
  assess(facts).checks.flatMap(({ id, status }) =>
    status === 'warning' || status === 'critical' ? [id] : [],
  )

describe('risks of agents', () => {
  it('are none of honest ones', () => {
    const said = Array.from({ length: AGENTS }, (_, seed) => assess(honest(seed)))
    assert.deepEqual(new Set(said.map(({ status }) => status)), new Set(['ok']))
    const grave = said.flatMap(({ checks }) =>
      checks.filter(({ status }) => status === 'critical'),
    )
    assert.deepEqual(grave, [])
    const warned = said.filter(({ score }) => score > 0)
    assert.ok(warned.length <= AGENTS / 20, `${warned.length} warned of`)
  })

  for (const [sort, [make, meant]] of Object.entries(SORTS))
    it(`are told of each that is ${sort}, and of nothing else`, () => {
      for (let seed = 0; seed < AGENTS; seed++) {
        const before = failing(honest(seed))
        const facts = make(honest(seed))
        const told = failing(facts).filter((id) => !before.includes(id))
        assert.deepEqual(told.toSorted(), meant.toSorted(), `${sort} ${seed}`)
        const { status, score, checks } = assess(facts)
        assert.equal(status, 'warning')
        assert.ok(score >= 30 && score <= 100)
        for (const { id, evidence } of checks)
          if (told.includes(id)) assert.ok(evidence.includes('r3'), id)
      }
    })

  it('need some sessions to be told by their likeness', () => {
    const facts = honest(1)
    const few = { ...facts, sessions: facts.sessions.slice(0, 4) }
    const { status, checks } = assess(few)
    assert.equal(status, 'evaluating')
    const open = checks.filter((check) => check.status === 'not_enough')
    assert.equal(open.length, 8)
    // What is grave is so from the first session on.
    assert.equal(
      assess({ ...few, judged: [fact('destructive_tools')] }).status,
      'warning',
    )
  })

  it('are none of an agent of which nothing is known', () => {
    const nothing = { sessions: [], models: [], offered: [], findings: [], judged: [] }
    const facts = { ...nothing, calls: 0, errors: 0, uninspected: 0 }
    assert.deepEqual(failing(facts), [])
  })

  it('name what they look at, and all ten of the list are either looked for or named', () => {
    const ids = CHECKS.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(CHECKS.every(({ looksAt }) => looksAt.length > 0))
    const ten = [...CHECKS, ...NOT_VISIBLE].map(({ owasp }) => owasp)
    const all = Array.from(
      { length: 10 },
      (_, n) => `LLM${String(n + 1).padStart(2, '0')}`,
    )
    assert.deepEqual([...new Set(ten)].toSorted(), all)
  })

  it('tell what was found by its class', () => {
    assert.equal(kindOf('email'), 'pii')
    assert.equal(kindOf('US_PASSPORT'), 'pii')
    assert.equal(kindOf('OPENAI_API_KEY'), 'secret')
    assert.equal(kindOf('SECRET_REQUEST'), 'injection')
  })

  it('know the class of every kind that the catalogue has', () => {
    const loaded = loadRules()
    assert.ok(loaded.kind === 'ok')
    for (const { kind, class: of } of loaded.rules)
      assert.equal(kindOf(knownKind(kind)), of, kind)
  })
})
