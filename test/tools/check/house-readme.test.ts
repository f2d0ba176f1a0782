import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { PHASES } from '../../../src/core/phases.js'
import { packageFile } from '../../../src/core/package-root.js'

const text = readFileSync(packageFile('src', 'README.md'), 'utf8')
const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, inside]) => inside ?? '')

interface Rooms {
  readonly FLOORS: readonly { readonly rooms: readonly { readonly room: string }[] }[]
}

describe('the page about the house', () => {
  it('names files and folders that are there', () => {
    const paths = quoted.filter((word) =>
      /^(src|ca|pf|config|test|tools)\/[\w./-]*$/.test(word),
    )
    assert.ok(paths.length > 40)
    assert.deepEqual(
      paths.filter((path) => !existsSync(packageFile(path))),
      [],
    )
  })

  it('names functions and classes that stand in the file before them', () => {
    const named = [...text.matchAll(/`([\w/-]+\.ts)`\s+\(`(\w+)`\)/g)]
    assert.ok(named.length >= 8)
    for (const [, file = '', name = ''] of named) {
      const code = readFileSync(packageFile(file), 'utf8')
      assert.match(code, new RegExp(`\\b${name}\\(|class ${name}\\b`), `${file}: ${name}`)
    }
  })

  it('names every phase, in order', () => {
    const rows = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, word]) => word)
    assert.deepEqual(rows, [...PHASES])
  })

  it('names every room of the pipeline', () => {
    const { FLOORS } = createRequire(import.meta.url)(
      packageFile('tools', 'check', 'rooms.cjs'),
    ) as Rooms
    const rooms = FLOORS.flatMap((floor) => floor.rooms).map(({ room }) => room)
    const inPipeline = rooms.filter((room) => room.startsWith('src/proxy/'))
    const folders = readdirSync(packageFile('src', 'proxy')).map(
      (name) => `src/proxy/${name}`,
    )
    assert.deepEqual(folders.sort(), [...inPipeline].sort())
    for (const room of inPipeline)
      assert.ok(text.includes(`\`${room.slice('src/proxy/'.length)}/\``), room)
  })
})
