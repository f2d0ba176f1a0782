// Usage: node dist/tools/build/after-tsc.js
// What the compiler leaves undone: the command becomes executable.
import { chmodSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'

chmodSync(packageFile('dist', 'src', 'cli', 'main.js'), 0o755)
