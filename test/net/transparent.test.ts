import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { Listener } from '../../src/net/listener.js'
import { makeTransparent } from '../../src/net/transparent.js'
import type { TransparentOptions } from '../../src/net/transparent.js'
import { ListeningLog } from '../audit/support.js'
import { needs } from '../support/needs.js'

const ADDRESS = { address: '::', port: 8443 }

/** The level of the one line that was logged, and how often the kernel was asked. */
function tried(
  options: Omit<TransparentOptions, 'log'>,
  reason: string | undefined,
): { level: string | undefined; asked: number } {
  const log = new ListeningLog()
  let asked = 0
  const acceptForeign = (): string | undefined => {
    asked++
    return reason
  }
  makeTransparent(createServer(), ADDRESS, { acceptForeign }, { ...options, log })
  assert.ok(log.lines.length <= 1)
  return { level: log.lines[0]?.level, asked }
}

describe('a transparent listener', () => {
  for (const [title, options, reason, level] of [
    [
      'is made where that is possible',
      { wanted: 'auto', steered: true },
      undefined,
      'debug',
    ],
    [
      'is missed loudly when it was asked for',
      { wanted: 'on', steered: false },
      'no',
      'warn',
    ],
    [
      'is missed quietly when nothing is steered',
      { wanted: 'auto', steered: false },
      'no',
      'debug',
    ],
  ] as const)
    it(title, () => {
      assert.deepEqual(tried(options, reason), { level, asked: 1 })
    })

  it('is missed loudly on Linux when interfaces are steered', function () {
    needs(this, 'Linux')
    const { level } = tried({ wanted: 'auto', steered: true }, 'koffi is not there')
    assert.equal(level, 'warn')
  })

  it('is not tried when it is off', () => {
    const off = { wanted: 'off', steered: true } as const
    assert.deepEqual(tried(off, undefined), { level: undefined, asked: 0 })
  })

  it('is made before its first connection, one for each address', async () => {
    const seen: string[] = []
    const listener = new Listener({
      maxConnections: 1,
      maxPerClient: 1,
      keepAliveMs: 60_000,
      onConnection: () => undefined,
      onRefused: () => undefined,
      onListening: (server, { address }) => seen.push(`${address} ${server.listening}`),
    })
    await listener.listen([
      { address: '127.0.0.1', port: 0 },
      { address: '127.0.0.2', port: 0 },
    ])
    await listener.close()
    assert.deepEqual(seen, ['127.0.0.1 true', '127.0.0.2 true'])
  })
})
