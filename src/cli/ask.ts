/** Asks a person for a passphrase on the terminal, without showing what is typed. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Secret } from '../core/secret.js'

/** Undefined when there is no terminal to ask on, or nothing was typed. */
export async function askSecret(question: string): Promise<Secret | undefined> {
  if (!process.stdin.isTTY) return undefined
  process.stderr.write(question)
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    const typed = await lines.question('')
    return typed === '' ? undefined : new Secret(typed)
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
