/** Which YORI this is. */
import { readFileSync } from 'node:fs'
import { packageFile } from '../core/package-root.js'

export function packageVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
