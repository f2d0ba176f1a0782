/** The export as HAR: held to the fields of HAR 1.2, and answered from by a browser. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { chromium } from 'playwright-core'
import { exportLines } from '../../../src/audit/exports/formats.js'
import { seenRow } from '../../../src/audit/seen-row.js'
import { chromiumPath } from '../../support/chromium-path.js'
import { CHROMIUM, needs } from '../../support/needs.js'
import { tempFolder } from '../../support/temp-folder.js'
import { closed } from '../support.js'

const text = { type: 'string' }
const count = { type: 'integer', minimum: -1 }
const time = { type: 'number', minimum: 0 }
const named = {
  type: 'array',
  items: { type: 'object', required: ['name', 'value'] },
}
const whole = (properties: Record<string, object>, optional: string[] = []): object => ({
  type: 'object',
  properties,
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})
const message = { httpVersion: text, cookies: named, headers: named }
const sizes = { headersSize: count, bodySize: count }
/** As w3c.github.io/web-performance/specs/HAR/Overview.html has it. */
const SCHEMA = whole({
  log: whole({
    version: { const: '1.2' },
    creator: whole({ name: text, version: text }),
    entries: {
      type: 'array',
      minItems: 1,
      items: whole(
        {
          startedDateTime: {
            ...text,
            pattern:
              '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$',
          },
          time,
          request: whole(
            {
              ...{ method: text, url: { ...text, pattern: '^https://' }, ...message },
              ...{ queryString: named, ...sizes },
              postData: whole({ mimeType: text, text }),
            },
            ['postData'],
          ),
          response: whole({
            ...{ status: count, statusText: text, ...message, redirectURL: text },
            ...sizes,
            content: {
              type: 'object',
              properties: { size: { type: 'integer', minimum: 0 }, mimeType: text, text },
              required: ['size', 'mimeType'],
            },
          }),
          cache: { type: 'object' },
          timings: {
            type: 'object',
            properties: { send: time, wait: time, receive: time },
            required: ['send', 'wait', 'receive'],
          },
          comment: text,
        },
        ['comment'],
      ),
    },
  }),
})

const rows = [
  closed({
    ...{ requestId: 'kept', endpointDomain: 'api.openai.com', method: 'GET' },
    ...{ path: '/v1/models', status: 200, latencyMs: 40, firstByteMs: 30 },
    responseBody: '{"data":["\u{1f300} é"]}',
  }),
  closed({
    requestId: 'asked',
    requestBody: '{"model":"m"}',
    responseBody: 'data: 1\n\n',
  }),
  closed({ requestId: 'odd', outcome: 'error', path: '/a?b=c#d e"\u001b' }),
].map((record) => ({
  ...seenRow(record),
  // As in a record that keeps bodies.
  request_body: record.requestBody ?? null,
  response_body: record.responseBody ?? null,
}))

const har = (): string =>
  [...exportLines('har', rows, { columns: ['timestamp'], version: '1.2.3' })].join('')

interface Har {
  readonly log: {
    readonly entries: readonly {
      readonly time: number
      readonly timings: Readonly<Record<string, number>>
    }[]
  }
}

describe('the export as HAR', () => {
  it('has every field of HAR 1.2, of its type, and times that add up', () => {
    const isHar = new Ajv().compile(SCHEMA)
    const made = JSON.parse(har()) as Har
    assert.ok(isHar(made), JSON.stringify(isHar.errors))
    assert.equal(made.log.entries.length, rows.length)
    for (const { time: total, timings } of made.log.entries)
      assert.equal(
        Object.values(timings).reduce((sum, ms) => sum + ms, 0),
        total,
      )
  })

  it('is what a browser answers from', async function () {
    needs(this, ...CHROMIUM)
    await using folder = await tempFolder()
    const file = folder.file('record.har')
    writeFileSync(file, har())
    const browser = await chromium.launch({
      executablePath: chromiumPath() ?? '',
      args: ['--no-sandbox', '--disable-background-networking'],
    })
    try {
      const page = await browser.newPage()
      await page.routeFromHAR(file, { notFound: 'abort' })
      const answer = await page.goto('https://api.openai.com/v1/models')
      assert.equal(answer?.status(), 200)
      // By a program, whose text is UTF-8: content types are not recorded.
      const heard = page.evaluate(async () => (await fetch('/v1/models')).text())
      assert.equal(await heard, '{"data":["\u{1f300} é"]}')
      await assert.rejects(page.goto('https://api.openai.com/v1/none'))
    } finally {
      await browser.close()
    }
  })
})
