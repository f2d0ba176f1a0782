import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { migrateText } from '../../config/migrate-file.js'
import { FORMAT } from '../../config/migrations.js'
import type { ConfigFormat } from '../../config/migrations.js'
import { CONFIG_VERSION } from '../../config/schema.js'
import { migrate } from '../../src/cli/commands/run/config-migrate.js'
import { changed } from '../../src/control/settings.js'
import { accepted, loadText, problemsOf, tempFolder } from './support.js'

/** Versions that never were: keys of ours under names that they never had. */
const THIRD: ConfigFormat = {
  version: 3,
  migrations: [
    {
      from: 1,
      steps: [
        { kind: 'move', from: ['keep_days'], to: ['audit', 'days'] },
        { kind: 'drop', at: ['colour'], why: 'nobody saw it' },
      ],
    },
    {
      from: 2,
      steps: [
        { kind: 'move', from: ['audit', 'days'], to: ['audit', 'retention_days'] },
        {
          kind: 'value',
          at: ['mode'],
          change: (old) => (old === 'watch' ? 'observe' : old),
          says: 'is observe where it was watch',
        },
      ],
    },
  ],
}

const OLD = `# Ours, since the spring.
mode: watch # look only

keep_days: 12 # as the council wants it
colour: red
# Who comes in.
listen: [127.0.0.1:8443, '[::1]:8443']
`

describe('the versions of the format', () => {
  it('has one migration for each version before this one, in order', () => {
    assert.equal(FORMAT.version, CONFIG_VERSION)
    assert.deepEqual(
      FORMAT.migrations.map(({ from }) => from),
      Array.from({ length: CONFIG_VERSION - 1 }, (_, index) => index + 1),
    )
  })

  it('reads a file of this version, said or not, without a word', () => {
    for (const text of ['mode: observe\n', 'config_version: 1\nmode: observe\n'])
      assert.deepEqual(accepted(loadText(text)).warnings, [])
  })

  it('reads an older file as the new one, with one warning', () => {
    const loaded = accepted(loadText(OLD, { format: THIRD }))
    assert.equal(loaded.config.audit.retention_days, 12)
    assert.equal(loaded.config.mode, 'observe')
    assert.equal(loaded.lineOf('audit.retention_days'), 4)
    const [warning, ...more] = loaded.warnings
    assert.deepEqual(more, [])
    assert.equal(warning?.wrong, 'the file is of version 1 and is read as version 3')
    assert.match(warning.right, /`yori config migrate`/)
  })

  it('begins in the middle, where the file says so', () => {
    const text = 'config_version: 2\naudit: { days: 3 }\n'
    const loaded = accepted(loadText(text, { format: THIRD }))
    assert.equal(loaded.config.audit.retention_days, 3)
    // Of the first version, which this is not.
    const early = loadText('config_version: 2\nkeep_days: 3\n', { format: THIRD })
    assert.match(problemsOf(early)[0]?.wrong ?? '', /not a known key/)
  })

  it('tells a wrong value where it stands, by its new name', () => {
    const [problem] = problemsOf(loadText('keep_days: many\n', { format: THIRD }))
    assert.deepEqual(
      [problem?.line, problem?.column, problem?.key],
      [1, 12, 'audit.retention_days'],
    )
  })

  it('refuses an old and a new name together, and says which', () => {
    const text = 'keep_days: 3\naudit: { days: 4 }\n'
    const [problem] = problemsOf(loadText(text, { format: THIRD }))
    assert.deepEqual(
      [problem?.line, problem?.key, problem?.wrong],
      [1, 'keep_days', 'is the old name of audit.days, which is given as well'],
    )
  })

  for (const there of ['5', '', '*it'])
    it(`loses nothing where the new section is no section: ${there}`, () => {
      const text = `log: &it { level: warn }\nkeep_days: 3\naudit: ${there}\n`
      const [problem] = problemsOf(loadText(text, { format: THIRD }))
      assert.deepEqual(
        [problem?.line, problem?.key, problem?.wrong],
        [2, 'keep_days', 'is audit.days now, and audit is no section here'],
      )
      assert.equal(migrateText(text, THIRD).kind, 'unread')
    })

  it('takes a change of a page on top of the migration', () => {
    const text = changed(OLD, { 'audit.retention_days': 5 }, THIRD)
    assert.deepEqual(parse(text), {
      mode: 'observe',
      listen: ['127.0.0.1:8443', '[::1]:8443'],
      audit: { retention_days: 5 },
      config_version: 3,
    })
  })

  it('refuses a newer one with that one sentence', () => {
    const loaded = loadText('config_version: 4\nwhat_is_new: true\n', { format: THIRD })
    const problems = problemsOf(loaded)
    assert.equal(problems.length, 1)
    assert.match(problems[0]?.wrong ?? '', /^4 is newer than this YORI, .* up to 3$/)
    assert.match(problems[0]?.right ?? '', /yori\.conf\.v3/)
  })

  for (const said of ['0', '-1', '1.5', 'one', '[1]', 'null'])
    it(`leaves ${said} to the judge of values: no version`, () => {
      const problems = problemsOf(loadText(`config_version: ${said}\n`))
      assert.equal(problems[0]?.key, 'config_version')
    })

  it('writes what is read, comments in their places', () => {
    const migrated = migrateText(OLD, THIRD)
    assert.equal(migrated.kind, 'ok')
    assert.equal(
      migrated.text,
      `# Ours, since the spring.
mode: observe # look only
# Who comes in.
listen: [127.0.0.1:8443, '[::1]:8443']
audit:
  retention_days: 12 # as the council wants it
config_version: 3
`,
    )
    assert.deepEqual(migrated.done.changes, [
      'keep_days is audit.days now',
      'colour is gone: nobody saw it',
      'audit.days is audit.retention_days now',
      'mode is observe where it was watch',
    ])
    assert.deepEqual(migrateText(migrated.text, THIRD), { kind: 'current' })
  })

  it('writes nothing where an alias would lead nowhere afterwards', () => {
    // The anchor moves behind its alias.
    const text = 'keep_days: &days 12\nlimits: { sessions: *days }\n'
    const migrated = migrateText(text, THIRD)
    assert.equal(migrated.kind, 'unread')
    assert.match(migrated.faults[0]?.wrong ?? '', /alias/)
    assert.match(problemsOf(loadText(text, { format: THIRD }))[0]?.wrong ?? '', /alias/)
  })
})

describe('yori config migrate', () => {
  it('puts the new one in place, and keeps the old one, its mode and a link to it', () => {
    using folder = tempFolder()
    const file = folder.write('real.conf', OLD)
    chmodSync(file, 0o640)
    symlinkSync('real.conf', join(folder.path, 'yori.conf'))
    const done = migrate({ config: 'yori.conf' }, { format: THIRD, cwd: folder.path })
    assert.ok(done.ok)
    assert.equal(done.kept, `${file}.v1`)
    assert.equal(readFileSync(`${file}.v1`, 'utf8'), OLD)
    assert.equal((parse(readFileSync(file, 'utf8')) as Json)['config_version'], 3)
    assert.equal(statSync(file).mode & 0o777, 0o640)
    assert.ok(lstatSync(join(folder.path, 'yori.conf')).isSymbolicLink())
    assert.deepEqual(readdirSync(folder.path).sort(), [
      'real.conf',
      'real.conf.v1',
      'yori.conf',
    ])
    assert.match(done.lines[0] ?? '', /went from version 1 to 3, 4 changes$/)
    const again = migrate({ config: file }, { format: THIRD, cwd: folder.path })
    assert.match(again.lines.join(), /is of version 3 already; nothing to do/)
  })

  it('writes nothing with --dry-run, and only there with --out', () => {
    using folder = tempFolder()
    const file = folder.write('yori.conf', OLD)
    const ground = { format: THIRD, cwd: folder.path }
    const dry = migrate({ config: file, dryRun: true }, ground)
    assert.match(dry.lines.join('\n'), /keep_days is audit\.days now/)
    assert.deepEqual(readdirSync(folder.path), ['yori.conf'])
    assert.ok(migrate({ config: file, out: 'new.conf' }, ground).ok)
    assert.equal(readFileSync(file, 'utf8'), OLD)
    assert.deepEqual(
      migrateText(readFileSync(join(folder.path, 'new.conf'), 'utf8'), THIRD),
      {
        kind: 'current',
      },
    )
    const second = migrate({ config: file, out: 'new.conf' }, ground)
    assert.ok(!second.ok)
    assert.match(second.lines.join(), /new\.conf exists/)
  })

  it('leaves everything as it was when an old one is there already', () => {
    using folder = tempFolder()
    const file = folder.write('yori.conf', OLD)
    folder.write('yori.conf.v1', 'mine\n')
    const done = migrate({ config: file }, { format: THIRD, cwd: folder.path })
    assert.ok(!done.ok)
    assert.match(done.lines.join(), /yori\.conf\.v1 exists; move it away first/)
    assert.equal(readFileSync(file, 'utf8'), OLD)
    assert.equal(readFileSync(`${file}.v1`, 'utf8'), 'mine\n')
    assert.deepEqual(readdirSync(folder.path).sort(), ['yori.conf', 'yori.conf.v1'])
  })

  it('refuses what is newer or no YAML, with place and remedy', () => {
    using folder = tempFolder()
    const file = folder.write('yori.conf', 'config_version: 9\n')
    const newer = migrate({ config: file }, { cwd: folder.path })
    assert.ok(!newer.ok)
    assert.match(newer.lines.join(), /config_version 9 is newer .* install the YORI/)
    folder.write('yori.conf', 'mode: [\n')
    assert.match(migrate({ config: file }).lines.join(), /yori\.conf:2:1: is not YAML/)
  })
})

type Json = Readonly<Record<string, unknown>>
