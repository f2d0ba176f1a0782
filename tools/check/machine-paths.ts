// Usage: tsx tools/check/machine-paths.ts   (or node dist/tools/check/machine-paths.js)
// The project's files name no folder of the machine on which they were written.
// Exit 1 when one does.
import { isProgram, projectFiles, report } from './finding.js'
import type { Finding, TextFile } from './finding.js'

// Put together here, since this file is looked through as well.
const PERSONAL = ['home', 'Users'].map(
  (top) => new RegExp(`/${top}/[A-Za-z][\\w.-]{0,40}/`),
)
const BUILD_MACHINE = ['work', 'farm', 'tmp/bash_jobs'].map(
  (folder) => new RegExp(`(?:^|[\\s"'\`=:(])/${folder}(?:/|\\b)`),
)

export function findMachinePaths(files: readonly TextFile[]): Finding[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const named = [...PERSONAL, ...BUILD_MACHINE].some((shape) => shape.test(line))
      return named
        ? [{ where: `${path}:${index + 1}`, what: 'names a folder of one machine' }]
        : []
    }),
  )
}

if (isProgram(import.meta.url)) {
  const files = projectFiles()
  report(`machine paths in ${files.length} files`, findMachinePaths(files))
}
