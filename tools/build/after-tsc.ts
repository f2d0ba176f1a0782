// Usage: node dist/tools/build/after-tsc.js [FOLDER]
// What the compiler leaves undone in FOLDER (dist): the configuration schema becomes code, the
// provider catalogue, the detection rules and the policies' parameters JSON; the dashboard's pages are bundled; what
// imports `@yori/rego` finds it; the command becomes executable.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../src/core/package-root.js'
import { compileCatalogue } from './compile-catalogue.js'
import { compileDetect } from './compile-detect.js'
import { compileSchema } from './compile-schema.js'
import { writeDashboard } from './dashboard-assets.js'
import { linkRego } from './link-rego.js'

const dist = process.argv[2] ?? packageFile('dist')

writeFileSync(join(dist, 'config', 'validate-config.js'), compileSchema())
writeFileSync(join(dist, 'config', 'providers.json'), compileCatalogue())
writeFileSync(join(dist, 'config', 'detect.json'), compileDetect())
writeDashboard(join(dist, 'dashboard'))
linkRego(dist)
// Not before it: the policies' language is found from there on.
const { compilePolicies } = await import('./compile-policies.js')
writeFileSync(join(dist, 'config', 'policies.json'), await compilePolicies())
chmodSync(join(dist, 'src', 'cli', 'main.js'), 0o755)
