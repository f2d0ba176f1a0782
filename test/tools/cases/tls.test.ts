import assert from 'node:assert/strict'
import { runFiles } from '../../../tools/cases/run.js'
import { tlsCases } from '../../../tools/cases/tls.js'
import type { CaseKind, Row } from '../../../tools/cases/kind.js'
import { countLines, fixtureFile, fixtureRows } from '../../support/fixtures.js'
import { recordedCases } from '../../support/needs.js'

async function play(kind: CaseKind, files: readonly string[]) {
  const said: string[] = []
  const tally = await runFiles(kind, files, (line) => said.push(line))
  return { tally, said: said.join('\n') }
}

describe('first bytes of connections', () => {
  for (const name of ['client-hellos.jsonl', 'not-hellos.jsonl']) {
    it(`are read as an independent dissector reads them: ${name}`, async () => {
      const file = fixtureFile('tls', name)
      const { tally, said } = await play(tlsCases, [file])
      assert.deepEqual(
        tally,
        { right: await countLines(file), wrong: 0, skipped: 0 },
        said,
      )
    })
  }

  for (const name of [
    'client-hellos',
    'non-tls',
    'sslv2-and-prefixed',
    'truncated-and-not-hello',
  ]) {
    it(`are read right in recorded traffic: ${name}`, async function () {
      const file = recordedCases(this, 'tls', `${name}.jsonl`)
      const { tally, said } = await play(tlsCases, [file])
      assert.deepEqual(
        tally,
        { right: await countLines(file), wrong: 0, skipped: 0 },
        said,
      )
    })
  }
})

describe('a case whose expectation is wrong', () => {
  const rows = fixtureRows<Row & { expected: Row }>('tls', 'client-hellos.jsonl')
  const [row] = rows
  assert.ok(row)
  const bent: readonly (readonly [string, unknown])[] = [
    ['sni', 'other.test'],
    ['alpn', ['h2']],
    ['bytes_to_complete', 340],
    ['supported_versions', ['0x0304']],
    ['ja3', '0'.repeat(32)],
    ['ech_outer', true],
    ['psk', true],
    ['verdict', 'not-tls'],
  ]
  for (const [key, value] of bent) {
    it(`is found by its ${key}`, async () => {
      await using runner = await tlsCases.open()
      const outcome = await runner.run({
        ...row,
        expected: { ...row.expected, [key]: value },
      })
      assert.equal(outcome.kind, 'wrong')
    })
  }

  it('is skipped when it holds datagrams', async () => {
    await using runner = await tlsCases.open()
    const outcome = await runner.run({
      datagrams_hex: ['c1'],
      expected: { sni: 'a.test' },
    })
    assert.equal(outcome.kind, 'skipped')
  })
})
