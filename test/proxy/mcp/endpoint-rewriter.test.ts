/** The endpoint of HTTP+SSE as it passes, at every split; what surrounds it stays as it is. */
import assert from 'node:assert/strict'
import {
  EndpointRewriter,
  MAX_HELD_EVENT_BYTES,
} from '../../../src/proxy/mcp/endpoint-rewriter.js'
import { SseReader } from '../../../src/http/sse.js'
import { everySplit } from '../../support/splits.js'

function rewritten(chunks: readonly Uint8Array[]): string {
  const rewriter = new EndpointRewriter((endpoint) =>
    endpoint === '/away' ? undefined : `/door${endpoint}`,
  )
  const out = chunks.map((chunk) => rewriter.write(Buffer.from(chunk)))
  return Buffer.concat([...out, rewriter.end()]).toString()
}

const eventsOf = (text: string) =>
  new SseReader().push(Buffer.from(text)).map(({ event, data }) => [event, data])

const CASES: Readonly<Record<string, readonly [string, readonly (readonly string[])[]]>> =
  {
    LF: [
      'event: endpoint\ndata: /m?s=é\n\ndata: 日本\n\n',
      [
        ['endpoint', '/door/m?s=é'],
        ['', '日本'],
      ],
    ],
    'CR LF': [
      ': hi\r\n\r\nevent: endpoint\r\ndata: /m\r\n\r\nid: 1\r\ndata: x\r\n\r\n',
      [
        ['endpoint', '/door/m'],
        ['', 'x'],
      ],
    ],
    CR: [
      'event:endpoint\rdata:/m\r\rdata: x\r\r',
      [
        ['endpoint', '/door/m'],
        ['', 'x'],
      ],
    ],
    'its data before its name': [
      'data: /m\nevent: endpoint\n\n',
      [['endpoint', '/door/m']],
    ],
    'others of that data': [
      'event: message\ndata: endpoint\n\n',
      [['message', 'endpoint']],
    ],
    'one that is not led on': [
      'event: endpoint\ndata: /away\n\ndata: x\n\n',
      [['', 'x']],
    ],
  }

describe('the endpoint of a stream', () => {
  for (const [name, [text, events]] of Object.entries(CASES)) {
    it(`becomes the door: ${name}`, () => {
      for (const chunks of everySplit(Buffer.from(text)))
        assert.deepEqual(eventsOf(rewritten(chunks)), events)
    })
  }

  it('leaves what is no endpoint byte for byte', () => {
    const text =
      'id: 1\r\nevent: message\r\ndata: {"a":"é"}\r\n\r\n: ping\n\nretry: 5\rdata\r\r'
    for (const chunks of everySplit(Buffer.from(text)))
      assert.equal(rewritten(chunks), text)
  })

  it('gives on a long event as it comes, which is no endpoint any more', () => {
    const long = 'x'.repeat(MAX_HELD_EVENT_BYTES)
    for (const end of ['\n', '\r\n', '\r']) {
      const text = [
        `data: ${long}`,
        'event: endpoint',
        'data: /m',
        '',
        'data: y',
        '',
        '',
      ].join(end)
      const bytes = Buffer.from(text)
      for (const size of [1000, 16_384, 100_000]) {
        const chunks = []
        for (let at = 0; at < bytes.length; at += size)
          chunks.push(bytes.subarray(at, at + size))
        assert.deepEqual(eventsOf(rewritten(chunks)), [
          ['', `${long}\n/m`],
          ['', 'y'],
        ])
      }
    }
  })

  it('holds no more than an event', () => {
    const rewriter = new EndpointRewriter((endpoint) => endpoint)
    assert.equal(rewriter.write(Buffer.from('data: x\n')).length, 0)
    assert.equal(rewriter.write(Buffer.from('\n')).toString(), 'data: x\n\n')
  })
})
