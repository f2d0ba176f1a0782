/**
 * `yori doctor --probe`: one connection on the way that clients take. A temporary network
 * namespace stands for a device: joined by a veth pair, whose name the rules steer whenever it is
 * there, it dials an LLM address on port 443 and must be answered
 * by YORI, with a certificate of YORI's root. Linux and root; all of it is removed again.
 */
import { spawnSync } from 'node:child_process'
import { ALIVE_PATH } from '../core/own-paths.js'
import { DOCTOR_INTERFACE } from '../core/own-probe.js'
import { probeName } from '../../pf/steering-plan.js'
import { steeringFiles } from '../../pf/steering-files.js'
import { bad, good } from './doctor-check.js'
import type { Check, Finding, Patient } from './doctor-check.js'

/** One at a time: the interface's name is the rules' own. */
const NAME = DOCTOR_INTERFACE
const SPACE = `yori-doctor-${process.pid}`
const PEER = 'yori-device'
const STEP_MS = 5_000
/** RFC 5737 and RFC 3849: nobody's addresses. */
const FAMILIES = {
  4: { here: '192.0.2.1', device: '192.0.2.2', length: 30 },
  6: { here: '2001:db8:796f::1', device: '2001:db8:796f::2', length: 126 },
} as const

export const probeCheck: Check = {
  name: 'probe',
  look(patient) {
    const { config, machine } = patient
    const name = probeName(config)
    if (machine.platform !== 'linux')
      return [bad('a probe needs network namespaces: Linux')]
    if (process.getuid?.() !== 0)
      return [bad('a probe needs root', 'sudo yori doctor --probe')]
    if (name === undefined) return [bad('no endpoint is opened', 'endpoints')]
    const steered = machine.run('nft', 'list', 'set', 'inet', 'yori', 'lan_if')
    if (steered === undefined)
      return [bad('nothing is steered: there is no set `lan_if`', 'yori pf apply')]
    if (!steered.includes(`"${NAME}"`))
      return [bad(`the rules do not steer ${NAME}: they are others'`, 'yori pf apply')]
    const families = ([4, 6] as const).filter(
      (family) =>
        config.steer.families === 'both' || config.steer.families === `ipv${family}`,
    )
    try {
      setUp()
      return families.map((family) => probe(patient, family, name))
    } catch (cause) {
      return [bad(`could not be set up: ${cause instanceof Error ? cause.message : ''}`)]
    } finally {
      takeDown()
    }
  },
}

function setUp(): void {
  step('ip', 'netns', 'add', SPACE)
  step('ip', 'link', 'add', NAME, 'type', 'veth', 'peer', 'name', PEER, 'netns', SPACE)
  for (const family of [4, 6] as const) {
    const { here, device, length } = FAMILIES[family]
    const nodad = family === 6 ? ['nodad'] : []
    step('ip', 'address', 'add', `${here}/${length}`, 'dev', NAME, ...nodad)
    inside('ip', 'address', 'add', `${device}/${length}`, 'dev', PEER, ...nodad)
  }
  step('ip', 'link', 'set', NAME, 'up')
  inside('ip', 'link', 'set', 'lo', 'up')
  inside('ip', 'link', 'set', PEER, 'up')
  for (const family of [4, 6] as const)
    inside('ip', `-${family}`, 'route', 'add', 'default', 'via', FAMILIES[family].here)
}

function takeDown(): void {
  const quietly = (...words: [string, ...string[]]): void => {
    spawnSync(words[0], words.slice(1), { stdio: 'ignore', timeout: STEP_MS })
  }
  quietly('ip', 'link', 'del', NAME)
  quietly('ip', 'netns', 'del', SPACE)
}

function probe({ config, machine }: Patient, family: 4 | 6, name: string): Finding {
  const set = machine.run('nft', 'list', 'set', 'inet', 'yori', `llm${family}`) ?? ''
  const element = /elements = \{ ([0-9a-f.:]+)/.exec(set)?.[1]
  if (element === undefined)
    return bad(
      `IPv${family}: no LLM address is steered`,
      `ls -l ${steeringFiles(config.state_dir).table}`,
    )
  const address = family === 6 ? `[${element}]` : element
  const root = `${config.state_dir}/yori-root.pem`
  const { stdout, stderr } = spawnSync(
    'ip',
    [
      'netns',
      'exec',
      SPACE,
      'openssl',
      's_client',
      '-quiet',
      '-connect',
      `${address}:443`,
    ].concat(
      ['-servername', name, '-verify_hostname', name, '-verify_return_error'],
      ['-CAfile', root, '-no-CApath'],
    ),
    {
      encoding: 'utf8',
      timeout: STEP_MS,
      input: `GET ${ALIVE_PATH} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`,
    },
  )
  const to = `IPv${family}: a connection to ${element} for ${name}`
  // Whatever it says: only YORI has a certificate that this root vouches for.
  if (stdout.startsWith('HTTP/1.1 ')) return good(`${to} came to YORI`)
  if (/verify error|certificate verify failed/i.test(stderr))
    return bad(`${to} was answered by somebody else`, 'yori pf status')
  return bad(`${to} was not answered`, 'yori pf status')
}

const inside = (...words: string[]): void => step('ip', 'netns', 'exec', SPACE, ...words)

function step(program: string, ...words: string[]): void {
  const { status, error, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    timeout: STEP_MS,
  })
  if (error !== undefined) throw new Error(`${program}: ${error.message}`)
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr.trim()}`)
}
