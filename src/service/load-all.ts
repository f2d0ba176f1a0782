/**
 * A program of its own, run as the user of a service before one is installed: does everything
 * that YORI is made of load? Prints `loads`, or dies by what could not be read.
 */
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Sqlite } from '../audit/sqlite.js'
import { packageFile } from '../core/package-root.js'

/** Much of it is read only when it is needed: pages, policies, the thread that writes. */
const FOLDERS = ['dist/src', 'dist/ca', 'dist/config', 'dist/pf', 'config', 'pf']

for (const folder of FOLDERS) {
  const path = packageFile(folder)
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    accessSync(join(path, name), constants.R_OK)
}
const { dependencies } = JSON.parse(
  readFileSync(packageFile('package.json'), 'utf8'),
) as { dependencies: Record<string, string> }
// The one whose place Node.js may take is loaded by whoever knows of both.
for (const name of Object.keys(dependencies))
  if (name !== 'better-sqlite3') await import(name)
await import('../assembly/appliance.js')
// Its machine code is loaded with the first database.
new Sqlite(':memory:').close()
process.stdout.write('loads\n')
