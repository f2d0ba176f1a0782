// Usage: node dist/tools/build/after-tsc.js
// What the compiler leaves undone: the command becomes executable, and the configuration
// schema becomes code.
import { chmodSync, writeFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { compileSchema } from './compile-schema.js'

chmodSync(packageFile('dist', 'src', 'cli', 'main.js'), 0o755)
writeFileSync(packageFile('dist', 'config', 'validate-config.js'), compileSchema())
