import assert from 'node:assert/strict'
import { findMachinePaths } from '../../../tools/check/machine-paths.js'

const found = (text: string): number => findMachinePaths([{ path: 'a.md', text }]).length

describe('tools/check/machine-paths', () => {
  it('finds the folder of a person or of a build machine', () => {
    const home = ['', 'home', 'ann', 'yori'].join('/')
    const build = ['', 'work', 'main'].join('/')
    assert.equal(found(`see ${home}`), 1)
    assert.equal(found(`import '${build}'`), 1)
    assert.equal(found(`cd ${build}\ncd ${home}`), 2)
  })

  it('leaves the folders of an installed system alone', () => {
    const relative = [['.', 'work', 'x'].join('/'), ['a.b', 'work', 'c'].join('/')]
    assert.equal(found(`/usr/local/etc/yori, /var/db/yori, ${relative.join(', ')}`), 0)
  })
})
