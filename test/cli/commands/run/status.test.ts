import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../../../../config/schema.js'
import { statusCommand } from '../../../../src/cli/commands/run/status.js'
import { coverageSection } from '../../../../src/cli/status/status-coverage.js'
import { runningSection } from '../../../../src/cli/status/status-running.js'
import type { Finding, StatusSection } from '../../../../src/cli/status/status-section.js'
import { storeSection } from '../../../../src/cli/status/status-store.js'
import {
  connection,
  exchange,
  single,
  startStore,
  temporaryFolder,
} from '../../../audit/support.js'

interface StoreFacts {
  readonly exchanges: number
  readonly bytes: number
  readonly droppedRows: number
}

const NOW = Date.UTC(2026, 10, 20, 12)

/** Runs `yori status FLAGS`; what it printed, and its exit code. */
async function status(
  config: unknown,
  flags: readonly string[] = [],
  sections?: readonly StatusSection[],
): Promise<{ text: string; exit: number }> {
  let text = ''
  let exit = 0
  const deps = {
    config: () => config as Config,
    clock: { now: () => NOW, monotonic: () => 0 },
    print: (piece: string) => {
      text += piece
    },
    exit: (code: number) => {
      exit = code
    },
  }
  await statusCommand(deps, sections).parseAsync([...flags], { from: 'user' })
  return { text, exit }
}

const section = (name: string, read: () => Finding): StatusSection => ({ name, read })
const good = section('one', () => ({ level: 'good', facts: { a: 1 }, lines: ['fine'] }))
const bad = section('two', () => ({ level: 'bad', facts: [], lines: ['broken'] }))
const throwing = section('three', () => {
  throw new Error('no\u001b[2J such file')
})

/** `enforcement.allowlist` of a household that has named nobody. */
const NOBODY = { devices: [], groups: [], time_exceptions: [] }

describe('yori status', () => {
  it('tells of the store what sqlite3 counts, and how large its files are', async () => {
    using folder = temporaryFolder()
    {
      await using store = await startStore(folder.database)
      for (let n = 0; n < 3; n++) store.exchangeClosed(exchange({ outcome: 'response' }))
    }
    const audit = { database: folder.database, retention_days: 30 }
    const { text, exit } = await status({ audit }, ['--json'], [storeSection])
    const { facts } = (JSON.parse(text) as { sections: { store: { facts: StoreFacts } } })
      .sections.store
    assert.equal(exit, 0)
    assert.equal(
      facts.exchanges,
      single(folder.database, 'SELECT count(*) FROM exchanges'),
    )
    assert.equal(facts.exchanges, 3)
    assert.ok(facts.bytes >= statSync(folder.database).size)
    assert.equal(facts.droppedRows, 0)
  })

  it('says of a store that is not there when it will be', async () => {
    using folder = temporaryFolder()
    const audit = { database: folder.database, retention_days: 30 }
    const { text, exit } = await status({ audit }, [], [storeSection])
    assert.match(text, /not there yet: the first start makes it/)
    assert.equal(exit, 0)
  })

  it('shows its sections in order, and exits with 0 while all is well', async () => {
    const { text, exit } = await status({}, [], [good])
    assert.equal(text, 'one\n  fine\n')
    assert.equal(exit, 0)
  })

  it('exits with 1 when a section finds something broken', async () => {
    const { text, exit } = await status({}, [], [good, bad])
    assert.equal(text, 'one\n  fine\n\ntwo  (!!)\n  broken\n')
    assert.equal(exit, 1)
  })

  it('shows the other sections when one cannot be read, and why it cannot', async () => {
    const { text, exit } = await status({}, [], [throwing, good])
    assert.match(
      text,
      /three {2}\(!!\)\n {2}cannot be told: no\\u001b\[2J such file\n\none/,
    )
    assert.equal(exit, 1)
  })

  it('gives programs the facts of every section', async () => {
    const { text } = await status({}, ['--json'], [good, bad])
    assert.deepEqual(JSON.parse(text), {
      level: 'bad',
      sections: {
        one: { level: 'good', facts: { a: 1 } },
        two: { level: 'bad', facts: [] },
      },
    })
  })

  it('tells coverage from the store and whether a YORI answers', async () => {
    using folder = temporaryFolder()
    {
      await using store = await startStore(folder.database)
      const at = { openedAt: NOW, closedAt: NOW }
      store.connection(
        connection({ ...at, coverage: 'inspected', nameClass: 'api.openai.com' }),
      )
      store.connection(connection({ ...at, coverage: 'tunnel-ech' }))
      store.connection(
        connection({ ...at, coverage: 'failed', code: 'YORI_CLIENT_GONE' }),
      )
    }
    const health = createServer((_, response) => response.end('{"mode":"observe"}'))
    await new Promise<void>((resolve) => health.listen(0, '127.0.0.1', resolve))
    const listen = `127.0.0.1:${portOf(health)}`
    const audit = { database: folder.database }
    const config = {
      state_dir: folder.path,
      listen: [listen],
      audit,
      enforcement: { allowlist: NOBODY },
    }
    try {
      const { text, exit } = await status(config, [], [runningSection, coverageSection])
      assert.equal(exit, 0, text)
      assert.match(text, /^running\n {2}127.* answers, mode observe/)
      assert.match(
        text,
        /3 connections = 1 inspected \+ 1 tunnelled \+ 0 refused \+ 1 failed/,
      )
      assert.match(
        text,
        /1 +tunnelled +no endpoint by the name shown; ECH may hide another/,
      )
      assert.match(text, /1 +failed +the client closed/)
    } finally {
      health.close()
    }

    const gone = await status(config, ['--json'], [runningSection, coverageSection])
    const facts = JSON.parse(gone.text) as {
      level: string
      sections: { coverage: { facts: { all: object } } }
    }
    assert.equal(facts.level, 'bad')
    assert.equal(gone.exit, 1)
    assert.deepEqual(facts.sections.coverage.facts.all, {
      total: 3,
      inspected: 1,
      tunnelled: 1,
      refused: 0,
      failed: 1,
    })
  })
})

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
