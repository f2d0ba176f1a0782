import assert from 'node:assert/strict'
import Sqlite from 'better-sqlite3'
import { PolicyDatabase } from '../../../../src/household/policy-database.js'
import { openWriter } from '../../../../src/audit/writer.js'
import { runCli } from '../../../support/cli.js'
import { tempFolder } from '../../../support/temp-folder.js'

describe('yori sessions stop', () => {
  it('keeps who stopped which conversation and why, until it is resumed', async () => {
    await using folder = await tempFolder()
    const cwd = folder.path
    openWriter(folder.file('var/audit.db')).close()
    const args = ['agent-7', '--reason', 'too dear', '--json']
    const ran = await runCli(['sessions', 'stop', ...args], { cwd })
    assert.equal(ran.status, 0, ran.stderr)
    assert.match(ran.stderr, /nothing is blocked until mode is enforce/)
    const stops = (): readonly string[] => {
      using database = new PolicyDatabase(folder.file('var/policy.db'))
      return database.state(Date.now()).stops.map(({ session }) => session)
    }
    assert.deepEqual(stops(), ['agent-7'])
    const again = await runCli(['sessions', 'resume', 'agent-7'], { cwd })
    assert.equal(again.stdout, 'resumed agent-7\n')
    assert.deepEqual(stops(), [])
    const none = await runCli(['sessions', 'resume', 'agent-7'], { cwd })
    assert.equal(none.status, 1)
    const db = new Sqlite(folder.file('var/audit.db'), { readonly: true })
    const kinds = db.prepare('SELECT event_type FROM events ORDER BY id').pluck().all()
    db.close()
    assert.deepEqual(kinds, ['session_stopped', 'session_resumed'])
  })
})
