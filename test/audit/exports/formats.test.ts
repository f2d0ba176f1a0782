import assert from 'node:assert/strict'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import { FORMATS, exportLines } from '../../../src/audit/exports/formats.js'
import type { Format } from '../../../src/audit/exports/formats.js'
import type { Listed } from '../../../src/audit/queries.js'
import { encode } from '../../../src/audit/rows.js'
import { seenRow } from '../../../src/audit/seen-row.js'
import { exchangeColumns } from '../../../src/audit/tables.js'
import type { ExchangeRecord } from '../../../src/core/record.js'
import { closed } from '../support.js'

const START = Date.UTC(2026, 0, 2, 3, 4, 5, 6)

const rowOf = (fields: Partial<ExchangeRecord>): Listed =>
  seenRow(closed({ startedAt: START, requestId: 'req-1', ...fields }))

const exported = (format: Format, ...rows: Listed[]): string =>
  [
    ...exportLines(format, rows, { columns: ['timestamp', 'model'], version: '1.2.3' }),
  ].join('')

const answered = rowOf({
  provider: 'anthropic',
  api: 'messages',
  model: 'claude-sonnet-4-5',
  call: true,
  latencyMs: 812,
  firstByteMs: 300,
  inputTokens: 120,
  outputTokens: 30,
  costMicroUsd: 810,
  finishReason: 'end_turn',
  sessionId: 'session-1',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
})

const blocked = rowOf({
  requestId: 'req-2',
  outcome: 'block',
  status: 403,
  policyName: 'bedtime',
  policyDecision: 'deny',
  reason: 'after 21:00',
})

/** What a client can write. */
const hostile = rowOf({
  requestId: 'req-3',
  path: '/v1/x?a=1|b=\\',
  userAgent: 'agent|with=\r\nCEF:0|forged|x\u001b[2J',
  model: '=cmd()',
  promptPreview: 'half a pair \ud83d and\u2028a line\nbreak',
})

describe('exports', () => {
  it('write one document or one line a row, whatever a client wrote', () => {
    for (const format of FORMATS) {
      const text = exported(format, answered, blocked, hostile)
      assert.ok(text.endsWith('\n'), format)
      assert.doesNotMatch(text, /\u001b|\u2028/, format)
      if (format === 'har') {
        const { log } = JSON.parse(text) as { log: { entries: unknown[] } }
        assert.equal(log.entries.length, 3)
        continue
      }
      const lines = text.split('\n').slice(0, -1)
      assert.equal(lines.length, format === 'csv' ? 4 : 3, format)
      if (format === 'csv' || format === 'cef') continue
      for (const line of lines) assert.equal(typeof JSON.parse(line), 'object', format)
    }
  })

  it('write a form without rows, too', () => {
    assert.deepEqual(JSON.parse(exported('har')), {
      log: { version: '1.2', creator: { name: 'YORI', version: '1.2.3' }, entries: [] },
    })
    assert.equal(exported('ecs'), '')
    assert.equal(exported('csv'), 'timestamp,model\r\n')
  })

  it('say by ECS who asked whom, what came of it, and how long it took', () => {
    const document = JSON.parse(exported('ecs', answered)) as Record<string, unknown>
    assert.equal(document['@timestamp'], '2026-01-02T03:04:05.006Z')
    assert.deepEqual(document['ecs'], { version: '8.17.0' })
    assert.deepEqual(document['source'], {
      ip: '192.168.1.23',
      mac: 'AA-BB-CC-00-11-22',
      domain: 'desk',
      bytes: 100,
    })
    const event = document['event'] as Record<string, unknown>
    assert.deepEqual(
      [event['kind'], event['outcome'], event['duration'], event['id']],
      ['event', 'success', 812_000_000, 'req-1'],
    )
    assert.deepEqual(document['gen_ai'], {
      operation: { name: 'chat' },
      provider: { name: 'anthropic' },
      request: { model: 'claude-sonnet-4-5' },
      response: { finish_reasons: ['end_turn'] },
      usage: { input_tokens: 120, output_tokens: 30 },
    })
    const refused = JSON.parse(exported('ecs', blocked)) as {
      event: Record<string, unknown>
      rule: unknown
    }
    assert.deepEqual(refused.event['type'], ['connection', 'denied', 'end'])
    assert.equal(refused.event['reason'], 'after 21:00')
    assert.deepEqual(refused.rule, { name: 'bedtime' })
  })

  it('say by OCSF an HTTP activity whose numbers agree', () => {
    for (const row of [answered, blocked, hostile, rowOf({ method: 'PROPFIND' })]) {
      const event = JSON.parse(exported('ocsf', row)) as Record<string, number>
      assert.equal(event['class_uid'], 4002)
      assert.equal(event['category_uid'], Math.floor(4002 / 1000))
      assert.equal(event['type_uid'], 400_200 + Number(event['activity_id']))
    }
    const event = JSON.parse(exported('ocsf', blocked)) as Record<string, unknown>
    assert.deepEqual(
      [
        event['activity_id'],
        event['action_id'],
        event['severity_id'],
        event['status_id'],
      ],
      [6, 2, 3, 2],
    )
    assert.equal(event['time'], START)
    assert.deepEqual(event['policy'], { name: 'bedtime' })
    const other = JSON.parse(
      exported('ocsf', rowOf({ method: 'PROPFIND' })),
    ) as typeof event
    assert.deepEqual([other['activity_id'], other['activity_name']], [99, 'PROPFIND'])
  })

  it('say by CEF what a reader of bars and equal signs reads back', () => {
    const { head, extension } = readCef(exported('cef', hostile).slice(0, -1))
    assert.deepEqual(head, [
      ...['CEF:0', 'YORI', 'YORI', '1.2.3', 'exchange.response'],
      ...['LLM request answered', '1'],
    ])
    assert.equal(extension.get('request'), 'https://api.openai.com/v1/x?a=1|b=\\')
    assert.equal(
      extension.get('requestClientApplication'),
      'agent|with=\r\nCEF:0|forged|x\\u001b[2J',
    )
    assert.equal(extension.get('cs2Label'), 'model')
    assert.equal(extension.get('cs2'), '=cmd()')
    const refused = readCef(exported('cef', blocked).slice(0, -1))
    assert.equal(refused.head[6], '6')
    assert.equal(refused.extension.get('act'), 'block')
    assert.equal(refused.extension.get('reason'), 'after 21:00')
    assert.equal(refused.extension.get('cn1'), '403')
  })

  it('say by OTLP what the official serialiser says of the same span', () => {
    const traces = JSON.parse(exported('otlp', answered)) as Traces
    const [ours] = traces.resourceSpans[0]?.scopeSpans[0]?.spans ?? []
    assert.ok(ours !== undefined)
    const plain = Object.fromEntries(
      (ours['attributes'] as { key: string; value: Record<string, unknown> }[]).map(
        ({ key, value }) => [key, plainOf(value)],
      ),
    )
    const theirs = officialSpan(plain, String(ours['spanId']))
    for (const name of ['traceId', 'spanId', 'parentSpanId', 'name', 'kind'])
      assert.equal(ours[name], theirs[name], name)
    for (const name of ['startTimeUnixNano', 'endTimeUnixNano'])
      assert.equal(ours[name], theirs[name], name)
    assert.deepEqual(
      new Map(
        (theirs['attributes'] as Attribute[]).map(({ key, value }) => [
          key,
          numberAsText(value),
        ]),
      ),
      new Map(
        (ours['attributes'] as Attribute[]).map(({ key, value }) => [
          key,
          numberAsText(value),
        ]),
      ),
    )
    assert.equal(plain['gen_ai.request.model'], 'claude-sonnet-4-5')
    assert.equal(
      exported('otlp', answered),
      exported('otlp', answered),
      'the same each time',
    )
    const failed = JSON.parse(exported('otlp', blocked)) as Traces
    assert.equal(
      (failed.resourceSpans[0]?.scopeSpans[0]?.spans[0]?.['status'] as { code: number })
        .code,
      2,
    )
  })

  it('have every column of the record in a row of JSON Lines', () => {
    const { row } = encode(exchangeColumns, closed(), {
      textLength: 100,
      bodyLength: 100,
    })
    assert.equal(row.length, exchangeColumns.length)
    const line = JSON.parse(exported('jsonl', answered)) as Record<string, unknown>
    for (const { name, body } of exchangeColumns)
      if (body !== true) assert.ok(name in line, name)
  })
})

interface Attribute {
  readonly key: string
  readonly value: Record<string, unknown>
}

interface Traces {
  readonly resourceSpans: {
    readonly scopeSpans: { readonly spans: Record<string, unknown>[] }[]
  }[]
}

const plainOf = (value: Record<string, unknown>): unknown => {
  const [kind, content] = Object.entries(value)[0] ?? []
  if (kind === 'intValue') return Number(content)
  if (kind === 'arrayValue')
    return (content as { values: { stringValue: string }[] }).values.map(
      ({ stringValue }) => stringValue,
    )
  return content
}

/** Its integers are numbers, ours text: both are allowed. */
const numberAsText = (value: Record<string, unknown>): unknown =>
  'intValue' in value ? { intValue: String(value['intValue']) } : value

/** By the serialiser of OpenTelemetry's own SDK. */
function officialSpan(attributes: Record<string, unknown>, spanId: string) {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const seconds = Math.floor(START / 1000)
  const context = { traceId: trace, traceFlags: 1 }
  const span = {
    name: 'chat claude-sonnet-4-5',
    kind: 2,
    spanContext: () => ({ ...context, spanId }),
    parentSpanContext: { ...context, spanId: '00f067aa0ba902b7', isRemote: true },
    startTime: [seconds, 6_000_000],
    endTime: [seconds, 818_000_000],
    status: { code: 0 },
    attributes,
    ...{ links: [], events: [], ended: true, duration: [0, 812_000_000] },
    resource: { attributes: {}, asyncAttributesPending: false },
    instrumentationScope: { name: 'yori', version: '1.2.3' },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  }
  const bytes = JsonTraceSerializer.serializeRequest([span] as never)
  const traces = JSON.parse(Buffer.from(bytes ?? []).toString()) as Traces
  return traces.resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {}
}

/** As a collector reads it: bars and equal signs count where no backslash stands before them. */
function readCef(line: string) {
  assert.doesNotMatch(line, /[\r\n]/)
  const head: string[] = []
  let rest = line
  while (head.length < 7) {
    const bar = /(?<!\\)(?:\\\\)*\|/.exec(rest)
    assert.ok(bar !== null)
    const end = bar.index + bar[0].length - 1
    head.push(rest.slice(0, end).replace(/\\([\\|])/g, '$1'))
    rest = rest.slice(end + 1)
  }
  const extension = new Map<string, string>()
  const pairs = rest.split(/ (?=[A-Za-z0-9]+=)/)
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const value = pair.slice(at + 1)
    assert.doesNotMatch(value.replace(/\\[\\=rn]/g, ''), /[=\\]/, pair)
    extension.set(
      pair.slice(0, at),
      value.replace(/\\([\\=rn])/g, (_all, one: string) =>
        one === 'r' ? '\r' : one === 'n' ? '\n' : one,
      ),
    )
  }
  return { head, extension }
}
