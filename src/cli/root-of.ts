/** Of which CA a state is: what a backup is held to before it comes back. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** SHA-256 of the root certificate in that folder; null: there is none. */
export function rootOf(directory: string): string | null {
  try {
    const pem = readFileSync(join(directory, 'root.crt'))
    return new X509Certificate(pem).fingerprint256
  } catch {
    return null
  }
}
