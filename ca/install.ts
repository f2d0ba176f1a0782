/**
 * What it takes to make this machine trust the root, and to undo it: steps as values, to be
 * shown before they are taken (`src/service/machine-stores.ts`). Knows the stores of Debian, Red
 * Hat, Arch, FreeBSD and macOS, and the NSS databases of browsers. Pure.
 *
 * Files and entries carry the first bytes of the root's SHA-256, so that a later root does not
 * overwrite an earlier one and uninstalling finds them all.
 */

export type Step =
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'remove'; readonly path: string }
  | {
      readonly kind: 'run'
      readonly program: string
      readonly args: readonly string[]
    }

export interface StoreSteps {
  /** Which store, for people. */
  readonly store: string
  /** It belongs to the system: only root may. */
  readonly needsRoot: boolean
  readonly steps: readonly Step[]
}

/** A store that this machine has, and what of ours is in it. */
export type Store =
  | {
      readonly kind: 'folder'
      readonly name: string
      /** Where the system looks for roots of its administrator. */
      readonly folder: string
      readonly extension: 'crt' | 'pem'
      readonly refresh: readonly string[]
      readonly refreshAfterRemoval: readonly string[]
      /** Files of ours that are there, by name. */
      readonly installed: readonly string[]
    }
  | {
      readonly kind: 'keychain'
      readonly name: string
      /** Roots of ours that are there, by SHA-1 in hexadecimal. */
      readonly installed: readonly string[]
    }
  | {
      readonly kind: 'nss'
      readonly name: string
      readonly folder: string
      /** Entries of ours that are there, by nickname. */
      readonly installed: readonly string[]
    }

export interface RootToInstall {
  readonly pem: string
  /** `AA:BB:...`. */
  readonly sha256: string
  /** A file that holds `pem`, for programs that want one. */
  readonly file: string
}

export const FILE_MARK = 'yori-root-'
export const NSS_MARK = 'YORI root '
export const KEYCHAIN = '/Library/Keychains/System.keychain'

export function installSteps(store: Store, root: RootToInstall): StoreSteps {
  const id = idOf(root)
  switch (store.kind) {
    case 'folder': {
      const path = `${store.folder}/${FILE_MARK}${id}.${store.extension}`
      const steps: Step[] = [{ kind: 'write', path, text: root.pem }, run(store.refresh)]
      return { store: store.name, needsRoot: true, steps }
    }
    case 'keychain': {
      const args = [
        'add-trusted-cert',
        '-d',
        '-r',
        'trustRoot',
        '-k',
        KEYCHAIN,
        root.file,
      ]
      return { store: store.name, needsRoot: true, steps: [run(['security', ...args])] }
    }
    case 'nss': {
      const name = `${NSS_MARK}${id}`
      // NSS would keep two of one name: the same again takes the place of itself.
      const again = store.installed.includes(name) ? [nssRemoval(store.folder, name)] : []
      const args = [
        '-A',
        '-d',
        `sql:${store.folder}`,
        '-n',
        name,
        '-t',
        'C,,',
        '-i',
        root.file,
      ]
      const steps = [...again, run(['certutil', ...args])]
      return { store: store.name, needsRoot: false, steps }
    }
  }
}

/** Takes everything of ours out of a store; no steps when there is nothing. */
export function uninstallSteps(store: Store): StoreSteps {
  const { name, installed } = store
  const none = { store: name, needsRoot: store.kind !== 'nss', steps: [] }
  if (installed.length === 0) return none
  switch (store.kind) {
    case 'folder': {
      const removals = installed.map((file): Step => ({
        kind: 'remove',
        path: `${store.folder}/${file}`,
      }))
      return { ...none, steps: [...removals, run(store.refreshAfterRemoval)] }
    }
    case 'keychain':
      return {
        ...none,
        steps: installed.map((sha1) =>
          run(['security', 'delete-certificate', '-t', '-Z', sha1, KEYCHAIN]),
        ),
      }
    case 'nss':
      return { ...none, steps: installed.map((entry) => nssRemoval(store.folder, entry)) }
  }
}

/** For people: what a step does, as they would type it. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'write':
      return `write ${step.path}`
    case 'remove':
      return `remove ${step.path}`
    case 'run':
      return `run ${[step.program, ...step.args].map(quoted).join(' ')}`
  }
}

function nssRemoval(folder: string, name: string): Step {
  return run(['certutil', '-D', '-d', `sql:${folder}`, '-n', name])
}

function run([program = '', ...args]: readonly string[]): Step {
  return { kind: 'run', program, args }
}

function idOf({ sha256 }: RootToInstall): string {
  return sha256.replaceAll(':', '').slice(0, 8).toLowerCase()
}

function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=,@%+-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`
}
