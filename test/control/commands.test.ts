import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { auditDefaults } from '../../src/audit/store-options.js'
import { auditCommand } from '../../src/cli/commands/record/audit.js'
import {
  sessionsCommand,
  statsCommand,
} from '../../src/cli/commands/record/sessions-command.js'
import type { AuditCommandDeps } from '../../src/cli/commands/record/record-deps.js'
import { askRunning } from '../../src/control/ask.js'
import { approvalCode } from '../../src/policy/approval.js'
import { closed } from '../audit/support.js'
import { runCli } from '../support/cli.js'
import { Controlled } from '../support/control.js'

const NOW = Date.now()
const BLOCKED = 'aaaaaaaa-0000-4000-8000-000000000002'
const COMMANDS: Readonly<Record<string, (deps: AuditCommandDeps) => Command>> = {
  audit: auditCommand,
  sessions: sessionsCommand,
  stats: statsCommand,
}

describe('commands of the machine that a YORI runs on', () => {
  let on: Controlled
  before(async () => {
    on = await Controlled.start({ config: { audit: { bodies: 'both' } } })
    const { audit } = on.yori.appliance
    for (let n = 0; n < 3; n++) {
      const record = closed({
        requestId: `aaaaaaaa-0000-4000-8000-00000000000${n}`,
        startedAt: NOW - n * 60_000,
        sessionId: 'talk',
        promptPreview: `hello ${n}`,
        ...(n === 2
          ? { outcome: 'block' as const, policyName: 'privacy', status: 403 }
          : {}),
      })
      audit.exchangeOpened(record)
      audit.exchangeClosed(record)
    }
  })
  after(() => on[Symbol.asyncDispose]())

  /** With the file, unless only the socket is to be asked. */
  const yori = async (words: string, asks = true) => {
    const [name = '', ...rest] = words.split(' ')
    const stdout = new PassThrough()
    const printed = text(stdout)
    let notes = ''
    const deps: AuditCommandDeps = {
      auditOptions: () => ({
        ...auditDefaults,
        database: on.yori.appliance.current.config.audit.database,
      }),
      stdout,
      clock: { now: () => NOW, monotonic: () => 0 },
      ask: (_path, question) =>
        askRunning(asks ? on.stateDir : on.yori.folder.file('nowhere'), question),
      note: (line) => (notes += line),
    }
    await COMMANDS[name]?.(deps).parseAsync(rest, { from: 'user' })
    stdout.end()
    return { out: await printed, notes }
  }

  it('are told by it what the file says, written up to this moment, and say which', async () => {
    const all = [
      'audit list',
      'audit list --json --outcome block',
      `audit list --code ${approvalCode(BLOCKED)}`,
      'audit show 000000000001',
      `audit show ${approvalCode(BLOCKED)} --json`,
      'audit stats --json',
      'sessions list --json',
      'sessions show talk --json',
      'stats --json',
    ]
    for (const words of all) {
      const told = await yori(words)
      assert.equal(told.notes, 'yori: told by the running YORI\n', words)
      assert.ok(told.out.length > 20, words)
      const read = await yori(words, false)
      assert.match(read.notes, /^yori: told from the files: no YORI runs/, words)
      assert.equal(told.out, read.out, words)
    }
  })

  it('record who looked, by the name of who is at the keyboard', async () => {
    const env = { USER: 'anna' }
    const conf = on.yori.folder.file('yori.conf')
    const ran = await runCli(['audit', 'list', '--config', conf], {
      cwd: on.yori.folder.path,
      env,
    })
    assert.equal(ran.status, 0, ran.stderr)
    assert.match(ran.stderr, /told by the running YORI/)
    const approved = await runCli(
      ['approve', approvalCode(BLOCKED), '--for', '1h', '--config', conf],
      { cwd: on.yori.folder.path, env },
    )
    assert.equal(approved.status, 0, approved.stderr)
    assert.match(approved.stdout, /policy privacy, .*passes until/)
    const events = await on.yori.rows('audit_log')
    for (const kind of ['control.looked', 'grant_approved']) {
      const event = events.find(
        ({ event_type: type, actor }) => type === kind && actor === 'anna',
      )
      assert.ok(event !== undefined, kind)
    }
    const [grant] = on.yori.appliance.policyState.current.grants
    assert.equal(grant?.request, BLOCKED)
  })

  it('take no column, filter or question that is none', async () => {
    const wrong = [
      {},
      { read: 'x' },
      { read: 'list', limit: 10_001 },
      { read: 'list', filter: { sinceMs: 'x' } },
      { read: 'list', filter: { nothing: 'x' } },
      { read: 'list', filter: { device: 'x'.repeat(300) } },
      { read: 'session', id: 5 },
      { read: 'list', more: 1 },
    ]
    for (const body of wrong) {
      const { status } = await on.ask('/api/record', { socket: true, body })
      assert.equal(status, 400, JSON.stringify(body))
    }
    const columns = ['request_id', '(SELECT 1)', 'no_such']
    const body = { read: 'list', columns }
    const said = await on.ask('/api/record', { socket: true, body })
    const { found } = said.body as { found: object[] }
    assert.deepEqual(Object.keys(found[0] ?? {}), ['request_id'])
  })

  it('read the file where the socket has gone', async () => {
    rmSync(on.control.places.socket ?? '')
    const { out, notes } = await yori('audit list')
    assert.match(notes, /told from the files: no YORI runs/)
    assert.match(out, /block/)
  })
})
