import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { detectCommand } from '../../../../src/cli/commands/policy/detect-command.js'

async function ran(input: string, ...args: string[]): Promise<string> {
  let printed = ''
  const command = detectCommand({
    stdin: Readable.from([Buffer.from(input)]),
    print: (text) => {
      printed += text.endsWith('\n') ? text : `${text}\n`
    },
  })
  await command.exitOverride().parseAsync(args, { from: 'user' })
  return printed
}

describe('yori detect', () => {
  it('says what is found, where, and why, and shows no more than its beginning', async () => {
    const printed = await ran('hello\nmy PESEL: 44051401458 thanks', '-')
    assert.match(
      printed,
      /2 +pii +PL_PESEL +0\.95 +pl-pesel .*beside "pese.*440514\.\.\./,
    )
    assert.doesNotMatch(printed, /44051401458/)
    assert.equal(await ran('the weather is fine', '-'), 'nothing was found\n')
  })

  it('reads rows and writes rows, with places in the text as it stands', async () => {
    const text = 'write to \u{1f600} kim@example.org, IBAN DE89 3704 0044 0532 0130 00'
    const rows = [
      { id: 7, text },
      { id: 'b', text: 'nothing', said: 'tool' },
    ].map((row) => JSON.stringify(row))
    const printed = await ran(rows.join('\n'), '--lines', '-')
    const [first, second] = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: unknown; findings: Found[] })
    assert.deepEqual(second, { id: 'b', findings: [] })
    assert.equal(first?.id, 7)
    assert.deepEqual(
      first.findings.map(({ kind, start, end }) => [kind, text.slice(start, end)]),
      [
        ['EMAIL_ADDRESS', 'kim@example.org'],
        ['IBAN_CODE', 'DE89 3704 0044 0532 0130 00'],
      ],
    )
    for (const one of first.findings)
      assert.deepEqual(Object.keys(one), ['class', 'kind', 'start', 'end', 'confidence'])
  })

  it('takes rules of ones own, and says the line of a row that is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'detect-'))
    try {
      const file = join(folder, 'own.yaml')
      writeFileSync(
        file,
        'rules:\n  - {id: c, kind: CLUB, confidence: 0.9, forms: [AA ddd], example: AB 123, near: AB 12, source: us}\n',
      )
      assert.match(await ran('it is KB 734', '--rules', file, '-'), /CLUB/)
      writeFileSync(file, 'rules:\n  - {id: c}\n')
      await assert.rejects(ran('x', '--rules', file, '-'), /own\.yaml:2/)
    } finally {
      rmSync(folder, { recursive: true })
    }
    await assert.rejects(ran('{"text":"a"}\nno', '--lines', '-'), /line 2 is no JSON/)
  })
})

interface Found {
  readonly kind: string
  readonly start: number
  readonly end: number
}
