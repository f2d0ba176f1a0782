import { existsSync } from 'node:fs'

const PROGRAMS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/local/bin/chrome',
]

/** Undefined when there is no Chromium on this machine. */
export function chromiumPath(): string | undefined {
  return PROGRAMS.find((path) => existsSync(path))
}
