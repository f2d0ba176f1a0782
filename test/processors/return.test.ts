import assert from 'node:assert/strict'
import { pino } from 'pino'
import { Processor } from '../../src/processors/processor.js'
import { UdsDialect } from '../../src/processors/uds.js'
import type { Asked } from '../../src/processors/words.js'
import { ManualClock } from '../support/manual-clock.js'
import { until } from '../support/proxied.js'
import { tempFolder } from '../support/temp-folder.js'
import { UdsAgent } from '../support/uds-agent.js'

const ASKED: Asked = {
  requestId: 'r',
  head: {
    ...{ method: 'POST', path: '/', host: 'api.example', protocol: 'HTTP/1.1' },
    ...{ fields: [], clientAddress: '127.0.0.1', clientPort: 1, traceparent: undefined },
    ...{ provider: undefined, model: undefined, startedAt: 0 },
  },
  asksHead: true,
  body: undefined,
}

/** By a clock that stands still: its 30 s never end. */
function processorAt(path: string): Processor {
  const replyBytes = 1 << 20
  return new Processor({
    ...{ name: 'one', action: 'block', order: 1, failMode: 'closed', timeoutMs: 50 },
    ...{ queue: 8, seesOriginal: false, bodyBytes: 1024, isPartialFine: false },
    ...{ contentTypes: [], routes: [], named: new Set(), log: pino({ enabled: false }) },
    events: new Set(['request_headers']),
    dialect: new UdsDialect({ path, replyBytes, version: '0', connections: 2 }),
    clock: new ManualClock(),
  })
}

async function ask(processor: Processor): Promise<string> {
  const heard = await processor.ask(ASKED)
  return heard.kind === 'failed' ? heard.failure.kind : heard.verdict.ruling.kind
}

describe('a processor that is not asked for a while', () => {
  it('is asked again when it was there, hung, and was started again', async () => {
    await using folder = await tempFolder()
    const path = folder.file('agent.sock')
    const processor = processorAt(path)
    try {
      {
        await using agent = await UdsAgent.start(path, () => 'nothing')
        for (let i = 0; i < 5; i++) assert.equal(await ask(processor), 'timeout')
        assert.equal(await ask(processor), 'resting')
        // It answers who looks for it, and hangs all the same: that is no return.
        const before = agent.pings
        await until(() => agent.pings >= before + 2)
        assert.equal(await ask(processor), 'resting')
      }
      await using again = await UdsAgent.start(path)
      await until(async () => (await ask(processor)) === 'allow')
      assert.equal(await ask(processor), 'allow')
      assert.equal(processor.breaker.state, 'closed')
      assert.equal(again.events.length, 2)
    } finally {
      processor.close()
    }
  })

  it('is asked again soon where it was late once, and then gone', async () => {
    await using folder = await tempFolder()
    const path = folder.file('agent.sock')
    const processor = processorAt(path)
    try {
      {
        await using _agent = await UdsAgent.start(path, () => 'nothing')
        for (let i = 0; i < 2; i++) assert.equal(await ask(processor), 'timeout')
      }
      for (let i = 0; i < 3; i++) assert.equal(await ask(processor), 'unreachable')
      assert.equal(await ask(processor), 'resting')
      // On a busy machine its first answers are late, too.
      let late = 2
      await using _back = await UdsAgent.start(path, () =>
        late-- > 0 ? 'nothing' : { version: 2, decision: 'allow' },
      )
      await until(async () => (await ask(processor)) === 'allow')
      assert.equal(processor.breaker.trips, 3)
    } finally {
      processor.close()
    }
  })
})
