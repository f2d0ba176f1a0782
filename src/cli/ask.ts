/** Asks a person on the terminal: for a passphrase, without showing it, or for a yes. */
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

/** Undefined when there is no terminal to ask on; anything but yes is no. */
export async function askYesNo(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY) return undefined
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(question)).trim())
  } finally {
    lines.close()
  }
}
