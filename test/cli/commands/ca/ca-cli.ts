/** `yori ca ...` in this process, with a folder of its own. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../../../src/core/clock.js'
import { Secret } from '../../../../src/core/secret.js'
import { caCommand } from '../../../../src/cli/commands/ca/ca-command.js'
import type { CaCommandOptions } from '../../../../src/cli/commands/ca/ca-shared.js'
import { tempFolder } from '../../../ca/support/ca.js'

export interface CaCli extends AsyncDisposable {
  readonly folder: string
  /** Runs `yori ca ...`; rejects as the command does. */
  ca(...args: string[]): Promise<{ out: Buffer; notes: string }>
  json(...args: string[]): Promise<Record<string, unknown>>
  asked: (string | undefined)[]
  options: CaCommandOptions
  /** What a person types when asked; nobody is there when undefined. */
  typed: string | undefined
  readonly questions: string[]
  /** A file of the folder with this text and mode 0600. */
  file(name: string, text: string): Promise<string>
}

export async function startCli(): Promise<CaCli> {
  const temp = await tempFolder()
  const asked: (string | undefined)[] = []
  const cli: CaCli = {
    folder: temp.path,
    asked,
    typed: undefined,
    questions: [],
    async file(name, text) {
      const path = join(temp.path, name)
      await writeFile(path, text, { mode: 0o600 })
      return path
    },
    options: { directory: join(temp.path, 'ca'), issuedNames: ['api.openai.com'] },
    async ca(...args) {
      const out: Uint8Array[] = []
      let notes = ''
      const command = caCommand({
        caOptions: (path) => {
          asked.push(path)
          return Promise.resolve(cli.options)
        },
        clock: systemClock,
        stateDir: () => temp.path,
        print: (output) => out.push(Buffer.from(output as string)),
        note: (text) => {
          notes += text
        },
        ask: (question) => {
          cli.questions.push(question)
          return Promise.resolve(
            cli.typed === undefined ? undefined : new Secret(cli.typed),
          )
        },
      })
      await command.parseAsync(args, { from: 'user' })
      return { out: Buffer.concat(out), notes }
    },
    async json(...args) {
      return JSON.parse((await cli.ca(...args, '--json')).out.toString()) as Record<
        string,
        unknown
      >
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  }
  return cli
}
