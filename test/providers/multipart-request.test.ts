import { readMultipartRequest } from '../../src/providers/multipart-request.js'
import { assertFacts } from '../support/exchanges.js'

describe('readMultipartRequest', () => {
  const parts = [
    { name: 'model', bytes: 9, at: 0, text: 'whisper-1' },
    { name: 'prompt', bytes: 2, at: 0, text: 'Hi' },
    { name: 'stream', bytes: 4, at: 0, text: 'true' },
    { name: 'temperature', bytes: 1, at: 0, text: '0' },
    { name: 'file', filename: 'a.mp3', mediaType: 'audio/mpeg', bytes: 1_000, at: 0 },
    { name: 'file', filename: 'b', bytes: 5, at: 0 },
  ]

  it('YORI reads model, prompt and files of a form', () => {
    assertFacts(readMultipartRequest({ parts, complete: true }, 'audio'), {
      api: 'audio',
      model: 'whisper-1',
      stream: true,
      promptText: 'Hi',
      attachments: [
        { kind: 'audio', mediaType: 'audio/mpeg', bytes: 1_000 },
        { kind: 'file', bytes: 5 },
      ],
      cut: false,
    })
  })

  it('YORI says that a form was not read to its end', () => {
    const facts = readMultipartRequest({ parts: [], complete: false }, 'files')
    assertFacts(facts, { cut: true, attachments: [] })
  })
})
