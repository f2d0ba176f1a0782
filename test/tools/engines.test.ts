/** `npm ci` warns of nothing (EBADENGINE) on any Node that package.json names. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { packageFile } from '../../src/core/package-root.js'

const { satisfies } = createRequire(import.meta.url)('semver') as {
  satisfies(version: string, range: string): boolean
}

type Lock = Readonly<
  Record<string, { readonly engines?: { readonly node?: string } | readonly string[] }>
>

/** The oldest of each line that is served, and some after them. */
const SERVED = ['20.19.0', '20.20.2', '22.13.0', '22.23.5', '24.0.0', '24.22.3', '26.0.0']

describe('the packages that are installed', () => {
  const { packages } = JSON.parse(
    readFileSync(packageFile('package-lock.json'), 'utf8'),
  ) as {
    packages: Lock
  }

  it('run on every Node that package.json names', () => {
    const own = packages['']?.engines as { node: string }
    for (const version of SERVED) assert.ok(satisfies(version, own.node), version)
    for (const version of ['18.20.8', '20.18.3', '21.7.3', '22.12.0', '23.11.1'])
      assert.ok(!satisfies(version, own.node), version)
    const unfit = Object.entries(packages).flatMap(([name, { engines }]) => {
      const node = Array.isArray(engines)
        ? undefined
        : (engines as { node?: string })?.node
      if (node === undefined) return []
      return SERVED.filter((version) => !satisfies(version, node)).map(
        (version) => `${name} on ${version}: ${node}`,
      )
    })
    assert.deepEqual(unfit, [])
  })
})
