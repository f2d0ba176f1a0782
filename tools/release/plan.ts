/**
 * What a release consists of, and why there may be none: names, the notes out of the changelog,
 * and what speaks against it. Pure.
 */

export interface State {
  readonly version: string
  readonly changelog: string
  /** `git status --porcelain`. */
  readonly dirty: string
  /** `git tag --list`. */
  readonly tags: readonly string[]
  /** What lies in the folder for it. */
  readonly inOut: readonly string[]
  /** As dpkg calls this machine's, such as `amd64`; undefined without dpkg: no .deb then. */
  readonly architecture: string | undefined
}

export interface Release {
  readonly tag: string
  readonly files: ReleaseFiles
  readonly notes: string
}

export interface ReleaseFiles {
  readonly tarball: string
  readonly deb: string
  readonly sbom: string
  readonly notes: string
  readonly sums: string
}

export type Planned =
  | { readonly kind: 'ok'; readonly release: Release }
  /** Everything that speaks against it, with what mends it. */
  | { readonly kind: 'refused'; readonly why: readonly string[] }

/** More lines of a dirty tree than these help nobody. */
const MOST_DIRTY = 5

export function plan(state: State): Planned {
  const { version, changelog, dirty, tags, inOut, architecture } = state
  const why: string[] = []
  if (dirty.trim() !== '') {
    const lines = dirty.trimEnd().split('\n')
    const more =
      lines.length > MOST_DIRTY ? `, and ${lines.length - MOST_DIRTY} more` : ''
    const named = lines.slice(0, MOST_DIRTY).map((line) => line.slice(3))
    why.push(`the tree has changes: commit ${named.join(', ')}${more}`)
  }
  const tag = `v${version}`
  if (tags.includes(tag))
    why.push(`the tag ${tag} exists: give package.json the next version`)
  const notes = sectionOf(changelog, version)
  if (notes === undefined)
    why.push(
      `CHANGELOG.md has no section \`## [${version}] - YYYY-MM-DD\`: give what is under ` +
        'Unreleased that heading',
    )
  else if (notes === '') why.push(`the section ${version} of CHANGELOG.md is empty`)
  if (architecture === undefined)
    why.push('dpkg is not here: a release is made on Debian, where the .deb can be')
  const files = filesOf(version, architecture ?? 'any')
  const there = namesOf(files).filter((name) => inOut.includes(name))
  if (there.length > 0)
    why.push(
      `the folder has ${there.join(', ')} already: name another, or take them away`,
    )
  if (notes === undefined || why.length > 0) return { kind: 'refused', why }
  return { kind: 'ok', release: { tag, files, notes: `${notes}\n` } }
}

/** In the order in which they are made. */
export function namesOf(files: ReleaseFiles): readonly string[] {
  return [files.tarball, files.deb, files.sbom, files.notes, files.sums]
}

function filesOf(version: string, architecture: string): ReleaseFiles {
  return {
    tarball: `yori-${version}.tgz`,
    deb: `yori_${version}_${architecture}.deb`,
    sbom: `yori-${version}.cdx.json`,
    notes: `yori-${version}.md`,
    sums: 'SHA256SUMS',
  }
}

/**
 * The text under `## [VERSION]`, with or without a date, up to the next heading of its rank or
 * the links at the end; trimmed. Undefined when there is no such heading. Headings inside
 * fenced code are none.
 * @see https://keepachangelog.com/en/1.1.0/
 */
export function sectionOf(changelog: string, version: string): string | undefined {
  let fenced = false
  let taken: string[] | undefined
  for (const line of changelog.split(/\r?\n/)) {
    if (/^(?:```|~~~)/.test(line)) fenced = !fenced
    if (!fenced && line.startsWith('## ')) {
      if (taken !== undefined) break
      if (isHeading(line.slice(3).trim(), version)) taken = []
      continue
    }
    if (!fenced && taken !== undefined && /^\[[^\]]+\]: /.test(line)) break
    taken?.push(line)
  }
  return taken?.join('\n').trim()
}

/** `[1.2.0] - 2026-01-31`, `1.2.0`, `[1.2.0] [YANKED]`. */
function isHeading(text: string, version: string): boolean {
  const [first] = text.split(' ')
  return first === version || first === `[${version}]`
}

/** As `sha256sum` writes it, and `sha256sum -c` reads it. */
export function sumsText(
  sums: readonly (readonly [name: string, hex: string])[],
): string {
  return sums.map(([name, hex]) => `${hex}  ${name}\n`).join('')
}
