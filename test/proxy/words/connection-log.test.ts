import assert from 'node:assert/strict'
import type { ErrorCode } from '../../../src/core/errors.js'
import type { Coverage } from '../../../src/core/record.js'
import { ConnectionLog } from '../../../src/proxy/words/connection-log.js'

type Told = (log: ConnectionLog) => void

/** What is told of a connection in turn, and the coverage and code of its row. */
const ROWS: readonly [
  name: string,
  told: readonly Told[],
  coverage: Coverage,
  code: ErrorCode | undefined,
][] = [
  ['nobody decides', [], 'failed', 'YORI_CLIENT_GONE'],
  [
    'it is reset before anybody decides',
    [(log) => log.ended('YORI_CLIENT_RESET')],
    'failed',
    'YORI_CLIENT_RESET',
  ],
  ['it is inspected', [(log) => log.inspected()], 'inspected', undefined],
  [
    'it is inspected and reset',
    [(log) => log.inspected(), (log) => log.ended('YORI_CLIENT_RESET')],
    'inspected',
    'YORI_CLIENT_RESET',
  ],
  [
    'it is reset, and stalls after that',
    [(log) => log.ended('YORI_CLIENT_RESET'), (log) => log.ended('YORI_CLIENT_STALLED')],
    'failed',
    'YORI_CLIENT_RESET',
  ],
  [
    'it is reset while it is turned away',
    [
      (log) => log.ended('YORI_CLIENT_RESET'),
      (log) => log.refused('YORI_TOO_MANY_CONNECTIONS'),
    ],
    'refused',
    'YORI_TOO_MANY_CONNECTIONS',
  ],
  [
    'it is turned away, and then fails',
    [
      (log) => log.refused('YORI_CLIENT_NOT_ALLOWED'),
      (log) => log.ended('YORI_INTERNAL'),
    ],
    'refused',
    'YORI_CLIENT_NOT_ALLOWED',
  ],
  [
    'its tunnel cannot be dialled',
    [
      (log) => log.tunnelled('tunnel-exempt'),
      (log) => log.failed('YORI_UPSTREAM_UNREACHABLE'),
    ],
    'failed',
    'YORI_UPSTREAM_UNREACHABLE',
  ],
  ['it is our own page', [(log) => log.servedOwn()], 'own', undefined],
  [
    'it was inspected before it asked for our own page',
    [(log) => log.inspected(), (log) => log.request(), (log) => log.servedOwn()],
    'inspected',
    undefined,
  ],
  [
    'the supervisor probes an intercepted connection',
    [(log) => log.inspected(), (log) => log.probed()],
    'own',
    undefined,
  ],
  [
    'the supervisor probes beside traffic',
    [(log) => log.inspected(), (log) => log.request(), (log) => log.probed()],
    'inspected',
    undefined,
  ],
  [
    'a plain request is passed on',
    [(log) => log.relayed('(other)')],
    'tunnel-not-endpoint',
    undefined,
  ],
  [
    'a plain request is passed on after one of an endpoint',
    [(log) => log.inspected(), (log) => log.relayed('(other)')],
    'inspected',
    undefined,
  ],
  [
    'our own page was asked for before a tunnel that nobody decided on',
    [(log) => log.servedOwn(), (log) => log.request(), (log) => log.startsAnew()],
    'failed',
    'YORI_CLIENT_GONE',
  ],
  [
    'its first request is turned away',
    [(log) => log.requestRefused('YORI_PROXY_AUTHENTICATION')],
    'refused',
    'YORI_PROXY_AUTHENTICATION',
  ],
  [
    'a later request is turned away',
    [
      (log) => log.inspected(),
      (log) => log.request(),
      (log) => log.requestRefused('YORI_UNKNOWN_HOST'),
    ],
    'inspected',
    'YORI_UNKNOWN_HOST',
  ],
]

describe('the row of a connection', () => {
  for (const [name, told, coverage, code] of ROWS)
    it(`says ${coverage}${code === undefined ? '' : ` by ${code}`} when ${name}`, () => {
      const log = new ConnectionLog({ ip: '192.0.2.7', clientPort: 40_000, at: 1_000 })
      for (const tell of told) tell(log)
      log.closed(2_000, { bytesRead: 11, bytesWritten: 22 })
      const { record } = log
      assert.deepEqual([record.coverage, record.code], [coverage, code])
      const { openedAt, closedAt, bytesFromClient, bytesToClient } = record
      const counted = [openedAt, closedAt, bytesFromClient, bytesToClient]
      assert.deepEqual(counted, [1_000, 2_000, 11, 22])
    })
})
