/** Checks of YORI itself: its CA, its disk, its listeners, and the clock that all hang on. */
import { connect } from 'node:tls'
import { conditionOf } from '../../ca/condition.js'
import { findCa } from '../../ca/show-ca.js'
import { momentText } from '../core/moment-text.js'
import { probeName } from '../../pf/steering-plan.js'
import { caSettingsOf } from '../assembly/from-config/ca.js'
import { OWN_CHECK_AGENT } from '../core/own-probe.js'
import { RESERVED_PREFIX } from '../core/own-paths.js'
import { ask, reachable } from './ask-health.js'
import { bad, good, notice } from './doctor-check.js'
import type { Check, Finding } from './doctor-check.js'

const MIB = 1024 * 1024
const LEAST_FREE_BYTES = 64 * MIB
const SMALL_FREE_BYTES = 512 * MIB
const HANDSHAKE_MS = 3_000
const SELF_TEST_PATH = `${RESERVED_PREFIX}self-test`

export const clockCheck: Check = {
  name: 'clock',
  look({ config, clock, machine }) {
    const said = `it is ${momentText(clock.now(), config.enforcement.timezone)}`
    const synchronised = machine.run('timedatectl', 'show', '-p', 'NTPSynchronized')
    if (synchronised?.trim() === 'NTPSynchronized=no')
      return [notice(`${said}, and nobody sets the clock`, 'timedatectl set-ntp true')]
    return [good(said)]
  },
}

export const caCheck: Check = {
  name: 'CA',
  async look({ config, clock }) {
    const { directory } = caSettingsOf(config)
    const ca = await findCa(directory, clock)
    if (ca === undefined)
      return [
        notice(`none in ${directory} yet: the first start makes one`, 'yori ca init'),
      ]
    const condition = conditionOf(ca, clock.now(), (ms) =>
      momentText(ms, config.enforcement.timezone),
    )
    switch (condition.kind) {
      case 'good':
        return [good(`usable, in ${directory}`)]
      case 'renewal-due':
        return [notice(condition.reason, 'yori ca rotate')]
      case 'unusable':
        return [bad(condition.reason, 'yori ca rotate, or set the clock')]
    }
  },
}

export const diskCheck: Check = {
  name: 'disk',
  look({ config, machine }) {
    const { state_dir: directory } = config
    const { free, total } = machine.space(directory)
    const said = `${Math.floor(free / MIB)} MiB of ${Math.floor(total / MIB)} are free in ${directory}`
    const mend = 'yori audit prune --older-than 7, or set audit.max_bytes'
    if (free < LEAST_FREE_BYTES) return [bad(`${said}: records will be lost`, mend)]
    return [free < SMALL_FREE_BYTES ? notice(said, mend) : good(said)]
  },
}

/** Does something answer on each listener, and is it YORI with a certificate of its root? */
export const listenCheck: Check = {
  name: 'listeners',
  async look({ config, machine }) {
    const name = probeName(config)
    const root = machine.read(`${config.state_dir}/yori-root.pem`)
    const found = config.listen.map(async (listen): Promise<Finding> => {
      const { answers, reason } = await ask(listen)
      if (!answers)
        return bad(
          `${listen} does not answer: ${reason ?? 'unknown'}`,
          machine.platform === 'freebsd' ? 'service yori start' : 'systemctl start yori',
        )
      if (name === undefined || root === undefined) return good(`${listen} answers`)
      const failed = await handshake(listen, name, root)
      if (failed === undefined) return good(`${listen} answers, also by TLS for ${name}`)
      return bad(
        `${listen} answers, but not by TLS for ${name}: ${failed}`,
        'yori ca show',
      )
    })
    return Promise.all(found)
  },
}

/**
 * Undefined when it went well, else why not. Who leaves right after the handshake has turned the
 * certificate down, for all that YORI can see: so a question follows that YORI answers itself.
 */
function handshake(
  listen: string,
  name: string,
  root: string,
): Promise<string | undefined> {
  const colon = listen.lastIndexOf(':')
  return new Promise((resolve) => {
    const socket = connect({
      host: reachable(listen.slice(0, colon)),
      port: Number(listen.slice(colon + 1)),
      servername: name,
      ca: root,
      timeout: HANDSHAKE_MS,
    })
    const end = (why: string | undefined): void => {
      socket.destroy()
      resolve(why)
    }
    socket.once('secureConnect', () => {
      socket.write(
        `GET ${SELF_TEST_PATH} HTTP/1.1\r\nhost: ${name}\r\n` +
          `user-agent: ${OWN_CHECK_AGENT}\r\nconnection: close\r\n\r\n`,
      )
    })
    socket.once('data', () => end(undefined))
    socket.once('timeout', () => end('no answer in time'))
    socket.once('error', (error: Error) => end(error.message))
    socket.once('close', () => end('it was closed'))
  })
}
