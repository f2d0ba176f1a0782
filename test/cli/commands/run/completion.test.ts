/** What is made of the commands: asked of bash itself, and of what formats manual pages. */
import assert from 'node:assert/strict'
import { everyCommand } from '../../../../src/cli/command-list.js'
import { completionText } from '../../../../src/cli/commands/run/completion.js'
import { manPage } from '../../../../src/cli/commands/run/man-page.js'
import { needs } from '../../../support/needs.js'
import { runProgram } from '../../../support/programs.js'
import { tempFolder } from '../../../support/temp-folder.js'

/** What bash offers when the last of these words is being typed. */
async function offered(script: string, words: readonly string[]): Promise<string[]> {
  const list = words.map((word) => `'${word}'`).join(' ')
  const ask = `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _yori\nprintf '%s\\n' "\${COMPREPLY[@]}"`
  await using folder = await tempFolder()
  const ran = await runProgram('bash', ['-c', ask], { cwd: folder.path })
  assert.equal(ran.status, 0, ran.stderr)
  return ran.stdout.toString().split('\n').filter(Boolean)
}

describe('completion', () => {
  it('offers commands, options and their values, in bash', async function () {
    needs(this, 'bash')
    const script = completionText(await everyCommand(), 'bash')
    assert.deepEqual(
      await offered(script, ['yori', 'stat']),
      ['stats', 'status'].toReversed(),
    )
    assert.deepEqual(await offered(script, ['yori', 'audit', 'sh']), ['show'])
    assert.deepEqual(await offered(script, ['yori', 'audit', 'show', '--a']), ['--as'])
    const forms = await offered(script, ['yori', 'audit', 'show', '--as', ''])
    assert.deepEqual(forms, ['text', 'json', 'curl', 'har'])
    assert.deepEqual(await offered(script, ['yori', 'completion', 'f']), ['fish'])
    // Behind -- stands another program's own.
    assert.deepEqual(await offered(script, ['yori', 'exec', '--', 'npm', '--']), [])
  })

  it('is a script that zsh and fish could read: every command is in it', async () => {
    const program = await everyCommand()
    for (const shell of ['zsh', 'fish'] as const) {
      const text = completionText(program, shell)
      for (const command of program.commands)
        assert.ok(text.includes(command.name()), `${shell} lacks ${command.name()}`)
    }
  })

  it('is a page that man formats without complaint', async function () {
    needs(this, 'groff')
    const page = manPage(await everyCommand(), '1.2.3')
    const groff = await runProgram('groff', ['-man', '-Tutf8', '-ww'], { input: page })
    assert.equal(groff.stderr, '')
    // Bold and underlined as terminals have it.
    const text = groff.stdout.toString().replace(/\u001b\[[\d;]*m|.\u0008/g, '')
    assert.match(text, /yori audit show \[options\] <id>/)
    assert.match(text, /EXIT STATUS/)
    assert.match(text, /yori - sees what devices ask which LLM/)
  })
})
