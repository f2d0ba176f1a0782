/**
 * Recorded answers of providers, heard by the vendors' own libraries through YORI and again from
 * the recording of that: the same text, tools, usage and errors, of each library. More of them
 * where YORI_CASES names a folder.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { providerOf, startRecorder } from '../support/recorded.js'
import { recordedCases } from '../support/needs.js'
import { startOrigin } from '../support/origins.js'
import { ownRows } from '../support/sdk-rows.js'
import type { Recorded } from '../support/sdk-rows.js'
import { sdkSays } from '../support/sdk-says.js'
import type { Said } from '../support/sdk-words.js'
import { TestCa } from '../support/test-ca.js'
import { Yori } from '../support/yori.js'

interface PairRow {
  readonly id: string
  readonly request: { readonly url: string }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: string
  }
  readonly expected: { readonly stream: boolean; readonly request_model: string | null }
}

function rowOf(line: string): Recorded {
  const { id, request, response, expected } = JSON.parse(line) as PairRow
  const url = new URL(request.url)
  const headers = Object.entries(response.headers).filter(
    ([name, value]) => /^content-type$/i.test(name) && typeof value === 'string',
  ) as [string, string][]
  return {
    id,
    url: url.protocol === 'https:' ? url : new URL(url.pathname, 'https://ollama.com'),
    model: expected.request_model ?? 'model',
    stream: expected.stream,
    status: response.status,
    headers: Object.fromEntries(headers),
    body: Buffer.from(response.body),
  }
}

const ownFetch = globalThis.fetch

/** What each library says, asked by that YORI. */
async function saidOf(
  yori: Yori,
  rows: readonly Recorded[],
  before: (row: Recorded) => void = () => undefined,
): Promise<(Said | undefined)[]> {
  const dispatcher = yori.dispatcher()
  globalThis.fetch = (input, init) =>
    ownFetch(input, Object.assign({}, init, { dispatcher }))
  try {
    const all: (Said | undefined)[] = []
    for (const row of rows) {
      before(row)
      all.push(await sdkSays(row))
    }
    return all
  } finally {
    globalThis.fetch = ownFetch
  }
}

async function compare(rows: readonly Recorded[]): Promise<number> {
  const names = [...new Set(rows.map(({ url }) => url.hostname))]
  const ca = new TestCa()
  const config = {
    endpoints: names.map((domain) => ({ domain })),
    ca: { permitted: names },
  }
  let row: Recorded | undefined
  const recorder = startRecorder({ level: 'credentials' })
  let live: (Said | undefined)[]
  {
    await using origin = await startOrigin({
      certificate: ca.issue({ names }),
      handler: (request, response) => {
        request.resume().on('end', () => {
          const { status = 500, headers, body = Buffer.alloc(0) } = row ?? {}
          response.writeHead(status, headers)
          // As it comes from a provider: in pieces that end anywhere.
          for (let at = 0; at < body.length; at += 97)
            response.write(body.subarray(at, at + 97))
          response.end()
        })
      },
    })
    await using yori = await Yori.start({
      origins: Object.fromEntries(names.map((name) => [name, origin])),
      trust: [ca],
      config,
      observers: [recorder.observer],
    })
    live = await saidOf(yori, rows, (one) => (row = one))
  }
  const recordings = await recorder.stop()
  const provider = providerOf(recordings, { inTime: false })
  await using replaying = await Yori.start({ config, provider })
  const again = await saidOf(replaying, rows)
  for (const [i, one] of rows.entries()) assert.deepEqual(again[i], live[i], one.id)
  assert.equal(provider.counts.missed, 0)
  return live.filter((said) => said !== undefined).length
}

describe('a replay, heard by the libraries of the vendors', function () {
  this.timeout(120_000)

  it('says what the provider said, of every kind of library', async () => {
    assert.ok((await compare(ownRows)) >= 5)
  })

  it('says what recorded cases say (YORI_CASES)', async function () {
    const file = recordedCases(this, 'llm/pairs.jsonl')
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    const count = await compare(lines.map(rowOf))
    assert.ok(count >= 50, `${count}`)
  })
})
