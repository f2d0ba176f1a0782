/** `yori person export|forget`, beside a YORI that runs and has recorded a real request. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { request } from 'undici'
import { verdictOf } from '../../../audit/support.js'
import { ChildYori } from '../../../support/child-yori.js'
import { runCli } from '../../../support/cli.js'
import { startLlmOrigin } from '../../../support/llm-origin.js'

describe('yori person export and forget', () => {
  it('hand out what is recorded of somebody, and take it out beside a running YORI', async () => {
    await using origin = await startLlmOrigin()
    const base_url = `http://127.0.0.1:${origin.port}`
    await using yori = await ChildYori.start({
      config: { gateway: { providers: { openai: { base_url } } } },
    })
    const run = async (...args: string[]) =>
      await runCli([...args, '--config', yori.folder.file('yori.conf')], {
        cwd: yori.folder.path,
      })
    await run('person', 'set', 'Ada')
    await run('device', 'person', '127.0.0.1', 'Ada')
    const ask = async (words: string): Promise<void> => {
      const body = JSON.stringify({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: words }],
      })
      const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-x' }
      const url = `http://127.0.0.1:${yori.port}/llm/openai/v1/chat/completions`
      const answer = await request(url, { method: 'POST', headers, body })
      await answer.body.dump()
    }
    await ask('what adas secret is')
    // Asked through the door, which has everything written by then.
    assert.match((await run('audit', 'list')).stdout, /gpt-4o/)

    // Somebody else's device had that address once.
    const db = new Sqlite(yori.folder.file('state/audit.db'))
    db.exec(`INSERT INTO exchanges (timestamp, request_id, connection_id, event_type,
      device_ip, device_mac, endpoint_domain, http_version, http_method, http_path,
      request_bytes, response_bytes)
      VALUES ('2026-01-02 03:04:05.006', 'others', 'c', 'response', '127.0.0.1',
      'aa:bb:cc:00:11:33', 'x', '1.1', 'POST', '/', 1, 2)`)
    const exported = await run('person', 'export', 'ada')
    db.exec(`DELETE FROM exchanges WHERE request_id = 'others'`)
    db.close()
    assert.doesNotMatch(exported.stdout, /others/)
    assert.equal(exported.status, 0, exported.stderr)
    const [first] = exported.stdout.split('\n')
    const row = JSON.parse(first ?? '') as Record<string, unknown>
    assert.equal(row['prompt_preview'], 'what adas secret is')

    const asked = await run('person', 'forget', 'Ada')
    assert.equal(asked.status, 1)
    assert.match(asked.stderr, /--yes/)
    const forgotten = await run('person', 'forget', 'Ada', '--yes')
    assert.equal(forgotten.status, 0, forgotten.stderr)
    assert.match(forgotten.stdout, /^took out 1 exchanges/)
    const database = yori.folder.file('state/audit.db')
    assert.doesNotMatch(readFileSync(database, 'latin1'), /adas secret/)
    assert.doesNotMatch((await run('audit', 'list')).stdout, /gpt-4o/)

    await ask('and what comes after')
    assert.match((await run('audit', 'list')).stdout, /gpt-4o/)
    const verified = await run('audit', 'verify')
    assert.equal(verified.status, 0, verified.stdout)
    assert.deepEqual(verdictOf(database).findings, [])
    const nobody = await run('person', 'forget', 'Nobody', '--yes')
    assert.equal(nobody.status, 1)
    assert.match(nobody.stderr, /nobody is called Nobody/)
  })
})
