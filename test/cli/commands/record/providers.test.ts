import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { providersCommand } from '../../../../src/cli/commands/record/providers.js'
import type { CatalogueEntry } from '../../../../src/providers/catalogue.js'
import { tempFolder } from '../../../support/temp-folder.js'

async function run(
  words: readonly string[],
  settings: { file?: string; endpoints?: readonly string[]; now?: string } = {},
): Promise<string> {
  let printed = ''
  const command = providersCommand({
    settings: () => ({ file: settings.file, endpoints: settings.endpoints ?? [] }),
    print: (text) => (printed += text),
    now: () => Date.parse(settings.now ?? '2026-01-31'),
  })
  await command.parseAsync(words, { from: 'user' })
  return printed
}

const OWN = `priced_on: 2026-01-31
providers:
  - name: house
    speaks: openai
    hosts: [llm.home.arpa]
    models: [{ id: big, input: 1, output: 2 }]
`

describe('yori providers', () => {
  it('lists the catalogue, with what the operator added', async () => {
    await using folder = await tempFolder()
    const file = folder.file('own.yaml')
    writeFileSync(file, OWN)
    const entries = JSON.parse(
      await run(['list', '--json'], { file }),
    ) as CatalogueEntry[]
    const house = entries.find(({ name }) => name === 'house')
    assert.equal(house?.models[0]?.price.output, 2_000_000)
    assert.ok(entries.some(({ name }) => name === 'anthropic'))
    const lines = (await run(['list'], { file })).split('\n')
    assert.match(lines[0] ?? '', /^provider +speaks +route +models +priced on +hosts$/)
    assert.match(
      lines.find((line) => line.startsWith('house')) ?? '',
      /openai +intercept +1 +2026-01-31 +llm\.home\.arpa/,
    )
  })

  it('says which prices are older than 90 days', async () => {
    await using folder = await tempFolder()
    const file = folder.file('own.yaml')
    const newer = '{ id: new, input: 1, output: 2, priced_on: 2026-03-01 }'
    writeFileSync(file, OWN.replace('output: 2 }]', `output: 2 }, ${newer}]`))
    const saidOn = async (now: string): Promise<readonly string[]> =>
      (await run(['check', file], { now }))
        .split('\n')
        .filter((line) => line.startsWith('house'))
    assert.deepEqual(await saidOn('2026-05-01'), [])
    assert.deepEqual(await saidOn('2026-05-02'), [
      'house: 1 prices are of 2026-01-31, over 90 days ago',
    ])
    assert.deepEqual(await saidOn('2026-12-31'), [
      'house: 1 prices are of 2026-01-31, over 90 days ago',
      'house: 1 prices are of 2026-03-01, over 90 days ago',
    ])
    const json = await run(['check', file, '--json'], { now: '2026-05-02' })
    const { stale } = JSON.parse(json) as { stale: { provider: string }[] }
    assert.deepEqual(
      stale.find(({ provider }) => provider === 'house'),
      { provider: 'house', prices: 1, pricedOn: '2026-01-31' },
    )
  })

  it('checks a file, and names endpoints that nobody knows', async () => {
    await using folder = await tempFolder()
    const file = folder.file('own.yaml')
    writeFileSync(file, OWN)
    const endpoints = [
      'api.openai.com',
      '*.openai.azure.com',
      'llm.home.arpa',
      'x.example',
    ]
    const said = await run(['check', file], { endpoints })
    assert.match(said, /providers and \d+ prices hold\nx\.example: no provider here/)
    const json = JSON.parse(await run(['check', '--json'], { endpoints })) as {
      unknown: string[]
    }
    assert.deepEqual(json.unknown, ['llm.home.arpa', 'x.example'])
  })

  it('says every fault with its line', async () => {
    await using folder = await tempFolder()
    const file = folder.file('bad.yaml')
    writeFileSync(file, 'providers:\n  - name: house\n    speaks: latin\n')
    await assert.rejects(run(['check', file]), /bad\.yaml.*3.*latin is not an API/s)
  })
})
