import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { sumsOf } from '../../../tools/release/main.js'
import { plan, sectionOf } from '../../../tools/release/plan.js'
import type { State } from '../../../tools/release/plan.js'
import { tempFolder } from '../../support/temp-folder.js'

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- Not out yet.

## [1.10.0] - 2026-03-01

### Added

- Ten.

\`\`\`md
## [1.1.0] in a block of code
\`\`\`

### Fixed

- More of ten.

## [1.1.0] - 2026-02-01

- One.

## [1.0.0] [YANKED]

## 0.9.0

- Bare.

[1.10.0]: https://example.com/compare
`

const STATE: State = {
  version: '1.10.0',
  changelog: CHANGELOG,
  dirty: '',
  tags: ['v1.1.0', ''],
  inOut: ['yori-1.1.0.tgz'],
  architecture: 'amd64',
}

describe('a section of the changelog', () => {
  it('ends at the next version, and code holds no headings', () => {
    const section = sectionOf(CHANGELOG, '1.10.0') ?? ''
    assert.match(section, /^### Added\n\n- Ten\.\n/)
    assert.match(section, /- More of ten\.$/)
    assert.doesNotMatch(section, /One|Not out/)
  })

  it('is that of the whole version, dated or not, yanked or bare', () => {
    assert.equal(sectionOf(CHANGELOG, '1.1.0'), '- One.')
    assert.equal(sectionOf(CHANGELOG.replaceAll('\n', '\r\n'), '1.1.0'), '- One.')
    assert.equal(sectionOf(CHANGELOG, '1.0.0'), '')
    assert.equal(sectionOf(CHANGELOG, '0.9.0'), '- Bare.')
    for (const none of ['1.1', '1', '1.10.0-rc.1', '1x10.0', 'nreleased'])
      assert.equal(sectionOf(CHANGELOG, none), undefined, none)
  })
})

describe('npm run release', () => {
  it('names its files and takes its notes', () => {
    const planned = plan(STATE)
    assert.equal(planned.kind, 'ok')
    assert.deepEqual(planned.release.files, {
      tarball: 'yori-1.10.0.tgz',
      deb: 'yori_1.10.0_amd64.deb',
      sbom: 'yori-1.10.0.cdx.json',
      notes: 'yori-1.10.0.md',
      sums: 'SHA256SUMS',
    })
    assert.equal(planned.release.tag, 'v1.10.0')
  })

  const refusals: readonly (readonly [string, Partial<State>, RegExp])[] = [
    ['a dirty tree', { dirty: ' M src/a.ts\n?? b.ts\n' }, /commit src\/a\.ts, b\.ts$/],
    [
      'many changes, shortly',
      { dirty: 'M  x\n'.repeat(7) },
      /commit x, x, x, x, x, and 2 more$/,
    ],
    ['a tag that exists', { tags: ['v1.10.0'] }, /the tag v1\.10\.0 exists/],
    ['a version without a section', { version: '2.0.0' }, /no section `## \[2\.0\.0\]/],
    ['an empty section', { version: '1.0.0' }, /section 1\.0\.0 .* is empty/],
    ['a folder that has it', { inOut: ['SHA256SUMS', 'x'] }, /has SHA256SUMS already/],
    ['a machine without dpkg', { architecture: undefined }, /dpkg is not here/],
  ]
  for (const [title, state, why] of refusals)
    it(`refuses ${title}`, () => {
      const planned = plan({ ...STATE, ...state })
      assert.equal(planned.kind, 'refused')
      assert.equal(planned.why.length, 1)
      assert.match(planned.why[0] ?? '', why)
    })

  it('says everything that speaks against it at once', () => {
    const planned = plan({
      ...STATE,
      version: '3.0.0',
      dirty: '?? x\n',
      tags: ['v3.0.0'],
    })
    assert.equal(planned.kind === 'refused' && planned.why.length, 3)
  })

  it('writes the sums that sha256sum itself would write', async () => {
    await using folder = await tempFolder()
    const names = ['a.tgz', 'b c.deb', 'empty']
    writeFileSync(folder.file('a.tgz'), Buffer.alloc(3_000_000, 7))
    writeFileSync(folder.file('b c.deb'), 'deb\n')
    writeFileSync(folder.file('empty'), '')
    const text = await sumsOf(folder.path, names)
    const theirs = execFileSync('sha256sum', names, {
      cwd: folder.path,
      encoding: 'utf8',
    })
    assert.equal(text, theirs)
  })
})
