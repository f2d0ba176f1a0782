import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { fork, spawn, spawnSync } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Sqlite from 'better-sqlite3'
import type { AuditCounts } from '../../src/audit/store.js'
import {
  hasSqlite3,
  query,
  single,
  sqlite3,
  startStore,
  temporaryFolder,
  verdictOf,
} from './support.js'
import { runCli } from '../support/cli.js'
import { needs } from '../support/needs.js'

const script = fileURLToPath(new URL('./child.js', import.meta.url))

/** Rows that each of them was told as written: from the first to some batches. */
const KILLED_AFTER = [1, 37, 2, 211, 64, 503, 10, 149]

interface Told {
  readonly kind: string
  readonly trouble?: string
  readonly counts: AuditCounts
}

type Teller = (fits: (message: Told) => boolean) => Promise<Told>

/**
 * The next message that fits. Listens from the start: where several come at once, those behind
 * the one that was awaited are kept.
 */
function teller(child: ChildProcess): Teller {
  const messages = on(child, 'message', { close: ['exit'] })
  return async (fits) => {
    for (;;) {
      const next: IteratorResult<unknown> = await messages.next()
      if (next.done === true) throw new Error('the child has ended')
      const [message] = next.value as [Told]
      if (fits(message)) return message
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

describe('audit store of a process of its own', () => {
  it('leaves a sound database when killed in mid-write, and the next run goes on', async () => {
    using folder = temporaryFolder()
    const child = fork(script, [folder.database])
    const told = teller(child)
    try {
      const { counts } = await told((message) => message.counts.written.exchanges > 1000)
      await end(child)
      if (hasSqlite3)
        assert.deepEqual(sqlite3(folder.database, 'PRAGMA integrity_check'), [['ok']])
      const kept = single(folder.database, 'SELECT count(*) FROM exchanges') as number
      assert.ok(
        kept > counts.written.exchanges,
        `${kept} rows of ${counts.written.exchanges}`,
      )
      await using _next = await startStore(folder.database)
      assert.deepEqual(
        query(
          folder.database,
          `SELECT event_type, reason FROM audit_events WHERE request_id = 'never closed'`,
        ),
        [{ event_type: 'error', reason: 'YORI stopped before the end' }],
      )
      const { findings, rows } = verdictOf(folder.database)
      assert.deepEqual(findings, [])
      assert.ok(rows >= kept, `${rows} rows vouched for, of ${kept}`)
    } finally {
      await end(child)
    }
  })

  it('is what was written after each of eight kills at whatever row', async () => {
    using folder = temporaryFolder()
    let told = 0
    for (const after of KILLED_AFTER) {
      const rows = String(1 + (after % 61))
      const child = fork(script, [folder.database, rows, '1000', `open ${after}`])
      try {
        const writes = ({ counts }: Told): boolean => counts.written.exchanges >= after
        told += (await teller(child)(writes)).counts.written.exchanges
        await end(child)
      } finally {
        await end(child)
      }
      // As it was left, with its log, before anybody opens it to write.
      const found = verdictOf(folder.database)
      assert.deepEqual(found.findings, [], `killed after ${after} rows`)
      assert.ok(found.rows >= told, `${found.rows} rows vouched for, of ${told}`)
    }
    const verify = () =>
      runCli(['audit', 'verify'], {
        cwd: folder.path,
        env: { YORI_STATE_DIR: dirname(folder.database) },
      })
    assert.equal((await verify()).status, 0)
    const db = new Sqlite(folder.database)
    db.exec('DELETE FROM exchanges WHERE id = (SELECT max(id) FROM exchanges)')
    db.close()
    assert.equal(
      verdictOf(folder.database).wrong,
      1,
      'and would not be without its newest',
    )
  })

  it('goes on when the disk is full, and writes again when there is room', async function () {
    needs(this, 'user namespaces')
    using folder = temporaryFolder()
    const mounted = dirname(folder.database)
    mkdirSync(mounted)
    const ballast = join(mounted, 'ballast')
    const commands =
      'mount -t tmpfs -o size=1500k none "$1" && head -c 1000000 /dev/zero > "$1/ballast" && ' +
      'shift && exec "$@"'
    const child = spawn(
      'unshare',
      [
        '-rm',
        'sh',
        '-c',
        commands,
        'sh',
        mounted,
        process.execPath,
        script,
        folder.database,
        '50',
        '200',
      ],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    )
    const told = teller(child)
    try {
      // On a busy machine rows may be dropped, and that be said, before the disk is full.
      await told(({ kind, trouble }) => kind === 'trouble' && trouble === 'full')
      await told(({ counts }) => counts.dropped.exchanges > 0)
      // The mount is the child's own; its files are reached through its root.
      rmSync(join('/proc', String(child.pid), 'root', ballast))
      await told(({ kind }) => kind === 'recovered')
      child.send('finish')
      const { counts } = await told(({ kind }) => kind === 'stopped')
      assert.equal(
        counts.written.exchanges + counts.dropped.exchanges,
        counts.offered.exchanges,
      )
    } finally {
      await end(child)
    }
  })

  it('goes on when its file may not grow, and writes again when it may', async function () {
    needs(this, 'prlimit')
    using folder = temporaryFolder()
    const commands = 'ulimit -S -f 1000 && exec "$@"'
    const child = spawn(
      'sh',
      ['-c', commands, 'sh', process.execPath, script, folder.database, '50', '200'],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    )
    const told = teller(child)
    try {
      await told(({ kind }) => kind === 'trouble')
      await told(({ counts }) => counts.dropped.exchanges > 0)
      spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:'])
      await told(({ kind }) => kind === 'recovered')
      child.send('finish')
      const { counts } = await told(({ kind }) => kind === 'stopped')
      const { written, dropped, offered } = counts
      assert.equal(written.exchanges + dropped.exchanges, offered.exchanges)
      const rows = single(
        folder.database,
        `SELECT count(*) FROM exchanges WHERE request_id <> 'never closed'`,
      )
      assert.equal(rows, written.exchanges)
    } finally {
      await end(child)
    }
  })
})
