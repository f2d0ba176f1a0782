import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { providersCommand } from '../../../../src/cli/commands/record/providers.js'
import type { CatalogueEntry } from '../../../../src/providers/catalogue.js'
import { tempFolder } from '../../../support/temp-folder.js'

async function run(
  words: readonly string[],
  settings: { file?: string; endpoints?: readonly string[] } = {},
): Promise<string> {
  let printed = ''
  const command = providersCommand({
    settings: () => ({ file: settings.file, endpoints: settings.endpoints ?? [] }),
    print: (text) => (printed += text),
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
