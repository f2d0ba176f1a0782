// Usage: node dist/tools/build/after-tsc.js
// What the compiler leaves undone: the command becomes executable, and what was compiled
// from a file that is gone goes too, so that no test of yesterday runs today.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'

const dist = packageFile('dist')

for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const source = /^(.*)\.js(?:\.map)?$/.exec(path)?.[1]
  if (source !== undefined && !existsSync(packageFile(`${source}.ts`))) {
    rmSync(join(dist, path))
  }
}

chmodSync(packageFile('dist', 'src', 'cli', 'main.js'), 0o755)
