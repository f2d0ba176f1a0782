/**
 * Requests in Zstandard, as Codex sends them, made by its own program and sent by curl over both
 * versions of HTTP: read, judged and passed on as they came.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { behind, endedExchanges, NAME, until } from '../../support/proxied.js'
import { needs } from '../../support/needs.js'
import { curl, runProgram } from '../../support/programs.js'
import { HTTP_VERSIONS } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'

const CARD = '4111 1111 1111 1111'
const config = (mode: string): Record<string, unknown> => ({
  mode,
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { privacy: { action: 'block' } } },
})

/** Some 400 KB; in one frame. */
async function coded(words: string): Promise<Buffer> {
  const history = Array.from(
    { length: 4000 },
    (_, i) => `${i}: the quick brown fox ${i * i}`,
  )
  const input = [{ role: 'user', content: [...history, words].join('\n') }]
  const body = JSON.stringify({ model: 'gpt-5-codex', input, stream: false })
  const ran = await runProgram('zstd', ['-q', '-c', '-3'], { input: Buffer.from(body) })
  return ran.stdout
}

for (const version of HTTP_VERSIONS)
  for (const mode of ['observe', 'enforce'])
    it(`a request in Zstandard is read over ${version} in ${mode}`, async function () {
      needs(this, 'curl', 'zstd')
      const got: Buffer[] = []
      await using setup = await behind((incoming, response) => {
        const pieces: Buffer[] = []
        incoming.on('data', (piece: Buffer) => pieces.push(piece))
        incoming.on('end', () => {
          got.push(Buffer.concat(pieces))
          response.setHeader('content-type', 'application/json')
          response.end('{"id":"r","object":"response","status":"completed","output":[]}')
        })
      }, config(mode))
      const { yori } = setup
      const file = yori.folder.file('body.zst')
      const ask = async (body: Buffer): Promise<string> => {
        await writeFile(file, body)
        const ran = await curl([
          ...[version === 'h2' ? '--http2' : '--http1.1', '--cacert', yori.rootFile],
          ...['--proxy', yori.url, '--header', 'content-type: application/json'],
          ...['--header', 'content-encoding: zstd', '--data-binary', `@${file}`],
          ...['--write-out', ' %{response_code}', `https://${NAME}/v1/responses`],
        ])
        assert.equal(ran.stderr, '')
        return ran.stdout.toString()
      }
      const harmless = await coded('thank you')
      const bad = await coded(`my card is ${CARD}`)
      const isHeld = mode === 'enforce'
      assert.match(await ask(harmless), / 200$/)
      assert.match(await ask(bad), isHeld ? /a card number.* 403$/s : / 200$/)
      assert.match(
        await ask(harmless.subarray(0, harmless.length / 2)),
        isHeld ? / 403$/ : / 200$/,
      )
      // As they came.
      assert.ok(got[0]?.equals(harmless))
      assert.equal(got.length, isHeld ? 1 : 3)
      let rows: Row[] = []
      // A row may be there before all of it is known.
      await until(async () => {
        rows = await endedExchanges(yori, 3)
        const isRead = (row: Row) =>
          row['event_type'] === 'block' || row['response_id'] !== null
        return rows.every(isRead) && rows[1]?.['model'] !== null
      })
      assert.equal(rows[1]?.['model'], 'gpt-5-codex')
      assert.deepEqual(
        rows.map((row) => [row['uninspectable'], row['policy_decision']]),
        [
          [null, 'allow'],
          [null, 'deny'],
          ['partly-unseen', isHeld ? 'deny' : 'allow'],
        ],
      )
    })
