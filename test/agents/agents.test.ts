/**
 * The matrix: real programs through YORI, by `inside.ts` in a namespace. `npm run agents`
 * installs them; where one is missing its test is skipped by name.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../../src/core/package-root.js'
import { NAMESPACES, needs, skip } from '../support/needs.js'
import { runProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { hostsFile, PREPARE, whyNoPlace } from './place.js'
import { AGENTS, installedOf } from './programs.js'
import { page } from './table.js'
import type { Verdict } from './verdict.js'

const RUN_MS = 400_000
const root = packageFile('test/agents')

/** The first line that a script prints inside the namespace. */
async function insideOf(script: string, ...words: readonly string[]): Promise<string> {
  await using folder = await tempFolder()
  const hosts = folder.file('hosts')
  writeFileSync(hosts, hostsFile(AGENTS))
  const file = fileURLToPath(new URL(script, import.meta.url))
  const command = ['sh', '-c', PREPARE, hosts, process.execPath, file, root, ...words]
  const ran = await runProgram('unshare', ['--net', '--mount', '--', ...command], {
    timeoutMs: RUN_MS,
  })
  const [line = ''] = ran.stdout.toString().split('\n')
  assert.ok(line.startsWith('{'), `${ran.stdout.toString()}${ran.stderr}`)
  return line
}

async function verdictFor(name: string): Promise<Verdict> {
  return (JSON.parse(await insideOf('inside.js', name)) as { verdict: Verdict }).verdict
}

describe('a program through YORI', function () {
  this.timeout(RUN_MS + 10_000)

  for (const agent of AGENTS)
    it(`${agent.name}: ${agent.how}`, async function () {
      // Programs of the machine alone are no matrix: they wait for the others.
      const isHere = installedOf(
        { ...agent, packages: agent.packages.length === 0 ? ['openai'] : agent.packages },
        root,
      )
      if (isHere === undefined || installedOf(agent, root) === undefined)
        skip(this, { what: 'agents', brings: 'npm run agents' })
      if (whyNoPlace() !== undefined) needs(this, ...NAMESPACES)
      const verdict = await verdictFor(agent.name)
      const no = Object.entries(verdict).filter(([, holds]) => !holds)
      const excepted = new Set<string>(agent.except?.map(({ what }) => what))
      assert.deepEqual(
        no.map(([check]) => check).filter((check) => !excepted.has(check)),
        [],
      )
    })
})

describe('a quota of ten calls an hour', function () {
  this.timeout(RUN_MS + 10_000)

  it('lets ten of ten `claude -p` pass, whatever else they ask for, and no eleventh', async function () {
    const name = 'Claude Code'
    const agent = AGENTS.find((one) => one.name === name)
    if (agent === undefined || installedOf(agent, root) === undefined)
      skip(this, { what: 'agents', brings: 'npm run agents' })
    if (whyNoPlace() !== undefined) needs(this, ...NAMESPACES)
    const line = await insideOf('quota.js', name, '10', '11')
    const { passed, calls } = JSON.parse(line) as { passed: boolean[]; calls: number }
    assert.deepEqual(passed, [...Array<boolean>(10).fill(true), false])
    assert.equal(calls, 10)
  })
})

describe('the page of programs', () => {
  it('tells what held, what did not, and what could not run', () => {
    const installed = { version: '1.2.3', licence: 'MIT' }
    const verdict = { ran: true, answer: true, harmless: true, row: true, blocked: true }
    const text = page(
      [
        {
          name: 'a',
          how: 'x',
          installed,
          verdict: { ...verdict, sentence: false },
          seen: '',
        },
        {
          name: 'b',
          how: 'y',
          installed: undefined,
          verdict: undefined,
          seen: 'not|here',
        },
      ],
      'Node 1',
    )
    assert.match(
      text,
      /\| a \| 1\.2\.3 \| MIT \| x \| yes \| yes \| yes \| yes \| \*\*no\*\* \|/,
    )
    assert.match(text, /^- b: not here$/m)
  })
})
