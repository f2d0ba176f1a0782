// Called by after-tsc: in `dist/`, `@yori/rego` is what was compiled from src/rego beside all
// else, one copy for the product and for tests that look inside. The package that others install
// is made by rego-package.ts; an installed YORI brings it along (bundleDependencies).
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes the compiled folder a package, and links it where imports from `dist` look. */
export function linkRego(dist: string): void {
  const described = { name: '@yori/rego', type: 'module', exports: './index.js' }
  writeFileSync(join(dist, 'src', 'rego', 'package.json'), JSON.stringify(described))
  const scope = join(dist, 'node_modules', '@yori')
  mkdirSync(scope, { recursive: true })
  const link = join(scope, 'rego')
  if (!existsSync(link)) symlinkSync(join('..', '..', 'src', 'rego'), link)
}
