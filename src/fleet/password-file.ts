/** A password out of a file of its own, read when it is needed, so that it can be changed. */
import { readFileSync, statSync } from 'node:fs'

const MAX_BYTES = 4096

/** Its first line. @throws Error that names the file and never what is in it */
export function passwordIn(file: string): string {
  const stat = statSync(file)
  if ((stat.mode & 0o077) !== 0)
    throw new Error(`${file} can be read by others: chmod 600 ${file}`)
  if (!stat.isFile() || stat.size > MAX_BYTES)
    throw new Error(`${file} is no file of at most ${MAX_BYTES} bytes`)
  const [line = ''] = readFileSync(file, 'utf8').split(/\r?\n/, 1)
  if (line === '') throw new Error(`the first line of ${file} is empty`)
  return line
}
