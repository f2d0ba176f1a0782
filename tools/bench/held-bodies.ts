// Usage: node dist/tools/bench/held-bodies.js [--only NAME,...] [--runs N] [--profile]
//          [--limit MS] [--alone]
// How long one turn of YORI's event loop takes, at the most, while a body near the bound is held
// and looked at by every ready-made policy in enforce: bodies of many shapes, over HTTP/1.1 and
// HTTP/2, by real clients to a real YORI. Garbage collection is told apart. Of several runs the
// best counts, since a shared machine is only ever slower; with --alone (root) nothing else runs on
// YORI's core meanwhile. Exit 1 when one is over the limit (5).
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { tempFolder } from '../../test/support/temp-folder.js'
import { HTTP_VERSIONS } from '../../test/support/yori.js'
import type { HttpVersion } from '../../test/support/yori.js'
import { startHeld } from './held-yori.js'
import type { HeldYori } from './held-yori.js'
import { machine } from './table.js'
import { PROBED, turnsDuring } from './turns.js'
import type { Turns } from './turns.js'

const MIB = 1024 * 1024
/** Near the bound of what is inspected. */
const BYTES = 8 * MIB - 64 * 1024

interface Shape {
  readonly name: string
  readonly body: () => Buffer
  readonly type?: string
}

const CARD = '4111 1111 1111 1111'
const WORDS = 'what does a steam engine do with its water, and who is Watt? '

/** A whole number of times. */
function repeated(text: string, bytes: number): string {
  return text.repeat(Math.floor(bytes / text.length))
}

function chat(messages: string): Buffer {
  return Buffer.from(`{"model":"gpt-4o","messages":[${messages}]}`)
}

function said(content: string, role = 'user'): Buffer {
  return chat(`{"role":"${role}","content":"${content}"}`)
}

function many(count: number, text: string, role?: string): string {
  return Array.from(
    { length: count },
    (_, i) =>
      `{"role":"${role ?? (i % 2 ? 'assistant' : 'user')}","content":"${i} ${text}"}`,
  ).join(',')
}

const parts = (list: string): Buffer => chat(`{"role":"user","content":[${list}]}`)

const image = (bytes: number): string =>
  `{"type":"image_url","image_url":{"url":"data:image/png;base64,${Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    randomBytes(bytes),
  ]).toString('base64')}"}}`

const form = (...fields: readonly string[]): Buffer =>
  Buffer.from(
    `${fields.map((field) => `--b\r\n${field}`).join('\r\n')}\r\n--b--\r\n`,
    'latin1',
  )

const field = (name: string, value: string): string =>
  `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`

const file = (name: string, type: string, value: string): string =>
  `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n${value}`

const MULTIPART = 'multipart/form-data; boundary=b'

const SHAPES: readonly Shape[] = [
  { name: 'one text', body: () => said(repeated(WORDS, BYTES)) },
  { name: 'one text, no blank in it', body: () => said('w'.repeat(BYTES)) },
  { name: 'one text, digits', body: () => said(repeated('12 34 567 89 0 ', BYTES)) },
  {
    name: 'one text, not ASCII',
    body: () => said(repeated('größer ｆｕｌｌ 漢字 ', BYTES / 2)),
  },
  { name: 'one text, all escapes', body: () => said(repeated('\\u00e9', BYTES)) },
  { name: 'one text, escaped twice', body: () => said(repeated('\\\\u0041', BYTES)) },
  { name: 'one text, line ends', body: () => said(repeated('\\n', BYTES)) },
  {
    name: 'one answer in lines',
    body: () => said(repeated('a line\\n', BYTES), 'assistant'),
  },
  {
    name: 'one answer, no line end',
    body: () => said(repeated(WORDS, BYTES), 'assistant'),
  },
  {
    name: 'one text, base64 of a text',
    body: () => said(Buffer.from(repeated(WORDS, BYTES * 0.74)).toString('base64')),
  },
  {
    name: 'one text, base64 of nothing',
    body: () => said(randomBytes(BYTES * 0.74).toString('base64')),
  },
  {
    name: 'one text, a data URL escaped',
    body: () => said(`data:text/plain,${repeated('a%20b', BYTES)}`),
  },
  {
    name: '200 messages',
    body: () => chat(many(200, repeated(WORDS, BYTES / 200 - 60))),
  },
  {
    name: '200 messages of the person',
    body: () => chat(many(200, repeated(WORDS, BYTES / 200 - 60), 'user')),
  },
  {
    name: '20,000 messages',
    body: () => chat(many(20_000, repeated(WORDS, BYTES / 20_000 - 60))),
  },
  {
    name: '100,000 short texts',
    body: () =>
      parts(
        Array.from(
          { length: 100_000 },
          (_, i) => `{"type":"text","text":"${i} ${WORDS.slice(0, 40)}"}`,
        ).join(','),
      ),
  },
  {
    name: 'deep nesting',
    body: () =>
      Buffer.from(
        `{"model":"gpt-4o","messages":[{"role":"user","content":${'['.repeat(60)}${Array.from({ length: 60_000 }, () => `{"a":{"b":["${WORDS}"]}}`).join(',')}${']'.repeat(60)}}]}`,
      ),
  },
  {
    name: 'many names',
    body: () =>
      Buffer.from(
        `{"model":"gpt-4o","metadata":{${Array.from({ length: 100_000 }, (_, i) => `"key ${i} ${WORDS.slice(0, 50)}":"x"`).join(',')}}}`,
      ),
  },
  {
    name: 'pictures',
    body: () =>
      parts(`{"type":"text","text":"what is this?"},${image(2 * MIB)},${image(3 * MIB)}`),
  },
  {
    name: 'tools',
    body: () =>
      Buffer.from(
        `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"tools":[${Array.from({ length: 2000 }, (_, i) => `{"type":"function","function":{"name":"f${i}","description":"${repeated(WORDS, 3800)}"}}`).join(',')}]}`,
      ),
  },
  {
    name: 'results of tools',
    body: () =>
      chat(
        `{"role":"user","content":"go"},{"role":"tool","tool_call_id":"a","content":"${repeated(`{\\"a\\":\\"${WORDS}\\"},`, BYTES)}"}`,
      ),
  },
  {
    name: 'numbers',
    body: () =>
      Buffer.from(`{"model":"gpt-4o","input":[${repeated('1234567890,', 1.4 * MIB)}1]}`),
  },
  {
    name: 'broken JSON',
    body: () =>
      Buffer.from(
        `{"model":"gpt-4o","messages":[{"role":"user","content":"${repeated(WORDS, BYTES)}`,
      ),
  },
  {
    name: 'form of fields',
    type: 'application/x-www-form-urlencoded',
    body: () => Buffer.from(repeated('field=what+is%20this%3F&', BYTES)),
  },
  {
    name: 'one field of a form',
    type: 'application/x-www-form-urlencoded',
    body: () => Buffer.from(`q=${repeated('%77', BYTES)}`),
  },
  {
    name: 'ndjson',
    type: 'application/x-ndjson',
    body: () => Buffer.from(repeated(`{"text":"${WORDS}"}\n`, BYTES)),
  },
  {
    name: 'plain text',
    type: 'text/plain',
    body: () => Buffer.from(repeated(`${WORDS}\n`, BYTES)),
  },
  {
    name: 'plain text, not UTF-8',
    type: 'text/plain',
    body: () => Buffer.from(repeated('größer, schöner und weiß ', BYTES), 'latin1'),
  },
  {
    name: 'plain text, UTF-16',
    type: 'text/plain',
    body: () => Buffer.from(`\ufeff${repeated(WORDS, BYTES / 2 - 2)}`, 'utf16le'),
  },
  { name: 'bytes', type: 'application/octet-stream', body: () => randomBytes(BYTES) },
  {
    name: 'refused, a card in one text',
    body: () => said(`${repeated(WORDS, BYTES - 100)} my card is ${CARD}`),
  },
  {
    name: 'refused, a card in 20,000',
    body: () => {
      const others = many(20_000, repeated(WORDS, BYTES / 20_000 - 60))
      return chat(`${others},{"role":"user","content":"my card is ${CARD}"}`)
    },
  },
  {
    name: 'refused, nothing but cards',
    body: () => said(repeated(`my card is ${CARD}, `, BYTES)),
  },
  {
    name: 'refused, of no known shape',
    body: () =>
      Buffer.from(
        `{"records":[${Array.from({ length: 40_000 }, (_, i) => `{"n":${i},"note":"${WORDS.repeat(2)}"}`).join(',')}],"note":"my card is ${CARD}"}`,
      ),
  },
  {
    name: 'multipart, one file of text',
    type: MULTIPART,
    body: () =>
      form(
        field('model', 'gpt-4o'),
        file('a.txt', 'text/plain', repeated(`${WORDS}\r\n`, BYTES)),
      ),
  },
  {
    name: 'multipart, one file of bytes',
    type: MULTIPART,
    body: () =>
      form(
        field('model', 'gpt-4o'),
        file('a.bin', 'application/octet-stream', randomBytes(BYTES).toString('latin1')),
      ),
  },
  {
    name: 'multipart, quoted-printable',
    type: MULTIPART,
    body: () =>
      form(
        `Content-Disposition: form-data; name="q"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${repeated('w=C3=A4re=\r\n', BYTES)}`,
      ),
  },
  {
    name: 'multipart, many fields',
    type: MULTIPART,
    body: () =>
      form(
        ...Array.from({ length: 4000 }, (_, i) => field(`f${i}`, repeated(WORDS, 1500))),
      ),
  },
]

async function measured(
  { shape, version, runs }: { shape: Shape; version: HttpVersion; runs: number },
  yori: HeldYori,
  probe: string,
): Promise<{ best: Turns; statuses: ReadonlySet<string> }> {
  const body = shape.body()
  const statuses = new Set<string>()
  let best: Turns | undefined
  for (let run = 0; run < runs; run++) {
    const turns = await turnsDuring(probe, async () => {
      statuses.add(await yori.ask({ ...shape, body }, version))
    })
    const [longest] = turns.longest
    if (best === undefined || (longest?.ms ?? 0) < (best.longest[0]?.ms ?? 0))
      best = turns
  }
  return { best: best as Turns, statuses }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      runs: { type: 'string', default: '3' },
      limit: { type: 'string', default: '5' },
      profile: { type: 'boolean', default: false },
      alone: { type: 'boolean', default: false },
    },
  })
  const only = values.only?.split(',')
  const shapes = SHAPES.filter(
    ({ name }) => only === undefined || only.some((part) => name.includes(part)),
  )
  await using folder = await tempFolder('yori-probe-')
  const probe = folder.file('probe')
  process.env['YORI_TURN_PROBE'] = probe
  if (values.profile) process.env['YORI_TURN_PROFILE'] = '1'
  const alone = values.alone ? ['chrt', '--fifo', '1'] : []
  await using yori = await startHeld([...alone, ...PROBED])
  console.log(machine())
  console.log(
    `${'shape'.padEnd(34)}http  status  longest ms  with GC ms  turns over 2 ms`,
  )
  for (const shape of shapes)
    for (const version of HTTP_VERSIONS) {
      const { best, statuses } = await measured(
        { shape, version, runs: Number(values.runs) },
        yori,
        probe,
      )
      const { ms, gcMs, frames } = best.longest[0] ?? { ms: 0, gcMs: 0 }
      const isOver = ms > Number(values.limit)
      if (isOver) process.exitCode = 1
      console.log(
        [
          shape.name.padEnd(33),
          version.padEnd(5),
          [...statuses]
            .map((each) => each.slice(0, 3))
            .join()
            .padEnd(7),
          ms.toFixed(1).padStart(10),
          (ms + gcMs).toFixed(1).padStart(11),
          String(best.count).padStart(9),
          isOver ? ' OVER' : '',
        ].join(' '),
      )
      for (const status of statuses) if (status !== '200') console.log(`    ${status}`)
      if (isOver) for (const frame of frames ?? []) console.log(`    ${frame}`)
    }
}

try {
  await main()
} catch (error) {
  console.error(error)
  process.exit(1)
}
