/** Renders the plugin's templates by Jinja2, as configd does. */
import { spawnSync } from 'node:child_process'
import { packageFile } from '../../../src/core/package-root.js'
import { pluginFile } from './model.js'

const SCRIPT = packageFile('test', 'fixtures', 'opnsense', 'render.py')
export const TEMPLATES = pluginFile(
  'src',
  'opnsense',
  'service',
  'templates',
  'OPNsense',
  'YORI',
)

/** One text a configuration. @throws with what Jinja2 says */
export function renderedBy(template: string, configs: readonly unknown[]): string[] {
  const { status, stdout, stderr } = spawnSync('python3', [SCRIPT, TEMPLATES], {
    input: JSON.stringify({ template, configs }),
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as string[]
}
