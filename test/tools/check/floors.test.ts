import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { packageFile } from '../../../src/core/package-root.js'
import { tempFolder } from '../../support/temp-folder.js'

/** What the guard says of a house with these files, each with the modules that it imports. */
async function saysOf(files: Readonly<Record<string, string>>): Promise<string> {
  await using house = await tempFolder()
  symlinkSync(packageFile('node_modules'), house.file('node_modules'))
  symlinkSync(packageFile('tsconfig.json'), house.file('tsconfig.json'))
  writeFileSync(house.file('package.json'), '{"type":"module"}')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(house.file(name)), { recursive: true })
    writeFileSync(house.file(name), text)
  }
  const found = spawnSync(
    process.execPath,
    [
      packageFile('node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      ...['--config', packageFile('tools/check/floors.cjs'), 'src'],
    ],
    { cwd: house.path, encoding: 'utf8', timeout: 60_000 },
  )
  return found.stdout + found.stderr
}

const WORD = 'export const word = 1\n'
const imports = (path: string): string =>
  `import { word } from '${path}'\nword.toFixed()\n`

describe('the guard of the floors', () => {
  it('has nothing to say of imports that go down or along a named way', async () => {
    const said = await saysOf({
      'src/core/word.ts': WORD,
      'src/json/word.ts': WORD,
      'src/http/sse.ts': imports('../json/word.js'),
      'src/json/json-skim.ts': imports('../core/word.js'),
    })
    assert.match(said, /no dependency violations/)
  })

  it('names a file that stands in no room, alone, imported or importing', async () => {
    const said = await saysOf({
      'src/core/word.ts': WORD,
      'src/stairs.ts': imports('./core/word.js'),
      'src/attic/word.ts': WORD,
      'src/http/sse.ts': imports('../attic/word.js'),
      'src/proxy/alone.ts': WORD,
    })
    assert.match(said, /in-no-room-\d: src\/stairs\.ts/)
    assert.match(said, /in-no-room-\d: src\/http\/sse\.ts → src\/attic\/word\.ts/)
    assert.match(said, /in-no-room-\d: src\/proxy\/alone\.ts/)
  })

  it('names an import that climbs', async () => {
    const said = await saysOf({
      'src/policy/word.ts': WORD,
      'src/http/sse.ts': imports('../policy/word.js'),
      'src/cli/word.ts': WORD,
      'src/assembly/appliance.ts': imports('../cli/word.js'),
    })
    assert.match(
      said,
      /src\/http reaches out: src\/http\/sse\.ts → src\/policy\/word\.ts/,
    )
    assert.match(said, /src\/assembly reaches out: .* → src\/cli\/word\.ts/)
  })

  it('names an import that goes sideways inside the pipeline, the commands and the edges', async () => {
    const said = await saysOf({
      'src/proxy/site/word.ts': WORD,
      'src/proxy/exchange/exchange.ts': imports('../site/word.js'),
      'src/cli/commands/ca/word.ts': WORD,
      'src/cli/commands/run/exec.ts': imports('../ca/word.js'),
      'src/net/word.ts': WORD,
      'src/audit/store.ts': imports('../net/word.js'),
    })
    assert.match(
      said,
      /src\/proxy\/exchange reaches out: .* → src\/proxy\/site\/word\.ts/,
    )
    assert.match(said, /src\/cli\/commands\/run reaches out/)
    assert.match(said, /src\/audit reaches out/)
  })

  it('keeps the package of Rego a package: its name one way, nothing the other', async () => {
    const said = await saysOf({
      'src/core/word.ts': WORD,
      'src/rego/index.ts': `${WORD}export { word as other } from './value.js'\n`,
      'src/rego/value.ts': WORD,
      'src/rego/text.ts': imports('../core/word.js'),
      'src/policy/good.ts': imports('@yori/rego'),
      'src/policy/bad.ts': imports('../rego/index.js'),
      'src/policy/deep.ts': `import type { word } from '../rego/value.js'\nexport type W = typeof word\n`,
    })
    assert.match(said, /imports nothing of YORI: src\/rego\/text\.ts → src\/core/)
    assert.match(said, /by its name: src\/policy\/bad\.ts → src\/rego\/index\.ts/)
    assert.match(said, /by its name: src\/policy\/deep\.ts → src\/rego\/value\.ts/)
    assert.doesNotMatch(said, /good\.ts/)
  })

  it('takes a type where only types may be named, and nothing that runs', async () => {
    const words = 'export interface Word { at: number }\nexport const word = 1\n'
    const said = await saysOf({
      'src/proxy/bounds/word.ts': words,
      'src/proxy/words/good.ts': `import type { Word } from '../bounds/word.js'\nexport type Good = Word\n`,
      'src/proxy/words/bad.ts': imports('../bounds/word.js'),
    })
    assert.match(said, /may only name types there: src\/proxy\/words\/bad\.ts/)
    assert.doesNotMatch(said, /good\.ts/)
  })
})
