// Usage: YORI_SQLITE=node node --import ./tools/dev/sqlite-of-node.mjs FILE...
// Runs what is built with the SQLite of Node.js (22.16 and later) in the place of better-sqlite3,
// for whoever imports that, too: the tests of the store on a Node for which nothing was compiled.
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

process.env.YORI_SQLITE = 'node'
const driver = pathToFileURL('dist/src/audit/sqlite.js').href

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'better-sqlite3'
      ? next('yori:better-sqlite3', context)
      : next(specifier, context),
})
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'yori:better-sqlite3'
      ? { url: specifier, shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url === 'yori:better-sqlite3'
      ? {
          format: 'module',
          shortCircuit: true,
          source: `export { Sqlite as default } from '${driver}'`,
        }
      : next(url, context),
})
