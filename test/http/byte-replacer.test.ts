/** Bytes in the place of others, however the stream is cut; characters of several bytes survive. */
import assert from 'node:assert/strict'
import { ByteReplacer } from '../../src/http/byte-replacer.js'
import { everySplit } from '../support/splits.js'

const FROM = 'https://gateway.example/mcp/sse/message'
const TO = 'http://127.0.0.1:8443/mcp/sse/message'

function replaced(chunks: readonly Uint8Array[], from = FROM): string {
  const replacer = new ByteReplacer([{ from: Buffer.from(from), to: Buffer.from(TO) }])
  const out = chunks.map((chunk) => replacer.write(Buffer.from(chunk)))
  return Buffer.concat([...out, replacer.end()]).toString()
}

describe('bytes replaced as they pass', () => {
  const texts = [
    `event: endpoint\r\ndata: ${FROM}?sessionId=ä€𝄞\r\n\r\n`,
    `data: 日本語${FROM}é${FROM}\n\nhttps://gateway.example/mcp/sse/mess`,
    `hhhttps://gateway.example/mcp/sse/messagehttp`,
    'nothing of it: h',
    '',
  ]
  for (const text of texts) {
    it(`at every split: ${JSON.stringify(text.slice(0, 32))}`, () => {
      const expected = text.split(FROM).join(TO)
      for (const chunks of everySplit(Buffer.from(text)))
        assert.equal(replaced(chunks), expected)
    })
  }

  it('finds one that begins within another that comes to nothing', () => {
    for (const chunks of everySplit(Buffer.from('aaab aab')))
      assert.equal(replaced(chunks, 'aab'), `a${TO} ${TO}`)
  })

  it('holds back no more than what is looked for can still begin with', () => {
    const replacer = new ByteReplacer([
      { from: Buffer.from('abc'), to: Buffer.from('x') },
    ])
    assert.equal(replacer.write(Buffer.from('zzab')).toString(), 'zz')
    assert.equal(replacer.write(Buffer.from('d\n')).toString(), 'abd\n')
    assert.equal(replacer.end().length, 0)
  })

  it('takes the first of several at one place', () => {
    const both = new ByteReplacer([
      { from: Buffer.from('ab'), to: Buffer.from('1') },
      { from: Buffer.from('abc'), to: Buffer.from('2') },
    ])
    assert.equal(both.write(Buffer.from('abc')).toString(), '1c')
  })
})
