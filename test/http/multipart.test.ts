import assert from 'node:assert/strict'
import { MultipartReader, boundaryOf } from '../../src/http/multipart.js'
import type { MultipartContent, MultipartLimits } from '../../src/http/multipart.js'
import { MULTIPART_LIMITS } from '../../src/http/multipart.js'
import { everySplit } from '../support/splits.js'

function read(
  text: string | Buffer,
  limits: Partial<MultipartLimits> = {},
): MultipartContent {
  const bytes = Buffer.from(text as string)
  const run = (chunks: readonly Uint8Array[]): MultipartContent => {
    const reader = new MultipartReader('B', { ...MULTIPART_LIMITS, ...limits })
    for (const chunk of chunks) reader.push(chunk)
    return reader.end()
  }
  const whole = run([bytes])
  for (const chunks of everySplit(bytes)) assert.deepEqual(run(chunks), whole)
  return whole
}

/** As plain values; where each part is said to begin, it does. */
function shown({ parts, complete }: MultipartContent, body: Uint8Array): unknown {
  const plain = parts.map(({ at, ...part }) => {
    const content = Buffer.from(body.subarray(at, at + part.bytes)).toString()
    if (part.filename === undefined) assert.equal(content, part.text)
    else assert.ok(content.startsWith('bytes with') || /^\0+$/.test(content))
    return part
  })
  return JSON.parse(JSON.stringify({ parts: plain, complete }))
}

const FORM = [
  'preamble, ignored',
  '--B',
  'Content-Disposition: form-data; name="model"',
  '',
  'whisper-1',
  '--B  ',
  'content-disposition: form-data; name=file; filename="a \\"b\\";.mp3"',
  'Content-Type: Audio/MPEG; x=y',
  '',
  'bytes with \r\n--Almost a delimiter',
  '--B',
  'Content-Disposition: form-data; name="empty"',
  '',
  '',
  '--B--',
  'epilogue, ignored',
].join('\r\n')

describe('MultipartReader', () => {
  it('YORI reads fields and files at every split', () => {
    assert.deepEqual(shown(read(FORM), Buffer.from(FORM)), {
      parts: [
        { name: 'model', bytes: 9, text: 'whisper-1' },
        { name: 'file', filename: 'a "b";.mp3', mediaType: 'audio/mpeg', bytes: 33 },
        { name: 'empty', bytes: 0, text: '' },
      ],
      complete: true,
    })
  })

  it('YORI tells of what stands beside the parts, and of odd fields of one', () => {
    const part = '--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--B--'
    assert.equal(read(FORM).beside, true)
    assert.equal(read(`${part}hidden`).beside, true)
    assert.equal(read(`hidden\r\n${part}`).beside, true)
    for (const plain of [part, `${part}\r\n`, `\r\n${part}\r\n \r\n`])
      assert.equal(read(plain).beside, undefined)
    const fields = [
      "Content-Disposition: form-data; name=a; filename*=UTF-8''%72oof.txt",
      'Content-Transfer-Encoding: Quoted-Printable',
      'X-Note: y',
    ]
    const [odd] = read(`--B\r\n${fields.join('\r\n')}\r\n\r\nx\r\n--B--`).parts
    assert.equal(odd?.quoted, true)
    assert.match(odd.others?.join('|') ?? '', /roof\.txt\|X-Note: y$/)
  })

  it('YORI takes blanks behind a delimiter up to a limit, however they come', () => {
    const padded = (length: number) =>
      read(
        `--B${' '.repeat(length)}\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--B--`,
      )
    assert.equal(padded(1_024).complete, true)
    assert.deepEqual(padded(1_025), { parts: [], complete: false })
  })

  it('YORI tells of a part whose body broke off at once', () => {
    const begun = '--B\r\nContent-Disposition: form-data; name=a\r\n\r\n'
    for (const more of ['', '\r\n', '\r\n--']) {
      const { parts, complete } = read(begun + more)
      assert.deepEqual([parts[0]?.name, complete], ['a', false])
    }
  })

  it('YORI agrees with how the platform itself writes a form', async () => {
    const form = new FormData()
    form.set('prompt', 'é€😀\r\nmore')
    form.set('image', new File([new Uint8Array(1_000)], 'x.png', { type: 'image/png' }))
    const request = new Request('http://x.test', { method: 'POST', body: form })
    const boundary = boundaryOf(request.headers.get('content-type') ?? '')
    assert.ok(boundary !== undefined)
    const reader = new MultipartReader(boundary)
    const body = new Uint8Array(await request.arrayBuffer())
    reader.push(body)
    assert.deepEqual(shown(reader.end(), body), {
      parts: [
        { name: 'prompt', bytes: 15, text: 'é€😀\r\nmore' },
        { name: 'image', filename: 'x.png', mediaType: 'image/png', bytes: 1_000 },
      ],
      complete: true,
    })
  })

  it('YORI says that a body broke off', () => {
    const cut = FORM.slice(0, FORM.indexOf('Almost'))
    const content = read(cut)
    assert.equal(content.complete, false)
    assert.equal(content.parts.length, 2)
    assert.equal(read('').complete, false)
  })

  it('YORI keeps its limits', () => {
    assert.equal(read(FORM, { maxParts: 2 }).complete, false)
    assert.equal(read(FORM, { maxParts: 2 }).parts.length, 2)
    assert.equal(read(FORM, { maxHeaderBytes: 50 }).complete, false)
    assert.equal(read(FORM, { maxTextBytes: 8 }).parts[0]?.text, undefined)
    assert.equal(read(FORM, { maxTextBytes: 8 }).parts[0]?.bytes, 9)
  })
})

describe('boundaryOf', () => {
  const cases: readonly [string | undefined, string | undefined][] = [
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a b;c"', 'a b;c'],
    ['multipart/mixed; boundary=abc; x=y', 'abc'],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, undefined],
    ['application/json; boundary=abc', undefined],
    [undefined, undefined],
  ]
  for (const [contentType, boundary] of cases) {
    it(`YORI finds ${boundary ?? 'no boundary'} in ${contentType ?? 'nothing'}`, () => {
      assert.equal(boundaryOf(contentType), boundary)
    })
  }
})
