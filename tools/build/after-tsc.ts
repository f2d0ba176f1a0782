// Usage: node dist/tools/build/after-tsc.js
// What the compiler leaves undone: what was compiled from a file that is gone goes too, so
// that no test of yesterday runs today; the configuration schema becomes code and the provider
// catalogue JSON; the command becomes executable.
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'
import { compileCatalogue } from './compile-catalogue.js'
import { compileSchema } from './compile-schema.js'

const dist = packageFile('dist')

for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const source = /^(.*)\.js(?:\.map)?$/.exec(path)?.[1]
  if (source !== undefined && !existsSync(packageFile(`${source}.ts`))) {
    rmSync(join(dist, path))
  }
}

writeFileSync(join(dist, 'config', 'validate-config.js'), compileSchema())
writeFileSync(join(dist, 'config', 'providers.json'), compileCatalogue())
chmodSync(join(dist, 'src', 'cli', 'main.js'), 0o755)
