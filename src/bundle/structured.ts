/** Files of a bundle that hold values: JSON, or YAML as JSON. */
import { readYaml } from '../../config/read-yaml.js'
import { BadBundle, BUNDLE_LIMITS } from './limits.js'
import type { TarFile } from './tar.js'

/** What it says, as JSON. @throws BadBundle for what is too long, or cannot be read */
export function jsonText({ path, bytes }: TarFile): string {
  if (bytes.length > BUNDLE_LIMITS.dataBytes)
    throw new BadBundle(`${path} is longer than ${BUNDLE_LIMITS.dataBytes} bytes`)
  const text = bytes.toString('utf8')
  if (!path.endsWith('.yaml')) return text
  const { value, faults } = readYaml(text)
  if (faults.length > 0 || value === undefined) throw new BadBundle(`${path} is no YAML`)
  return JSON.stringify(value)
}
