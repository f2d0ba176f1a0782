/**
 * Statements of pf.conf that are neither rules nor tables: options, normalisation and
 * antispoof. Each reads its words to the end of the line, or faults. Pure.
 */
import type { Cursor } from './check-cursor.js'
import { interfaceName, interfaces } from './check-hosts.js'
import { isTimeout, shortName, stateOptionList } from './check-options.js'
import { logQuick, ruleHead } from './check-rules.js'

const LIMITS = ['states', 'frags', 'src-nodes', 'tables', 'table-entries']
/** FreeBSD 15 has them. */
const NEWER_LIMITS = ['anchors', 'eth-anchors']

const SET_WORDS: Readonly<Record<string, readonly string[]>> = {
  'block-policy': ['drop', 'return'],
  'fail-policy': ['drop', 'return'],
  'state-policy': ['if-bound', 'floating'],
  optimization: [
    'normal',
    'default',
    'high-latency',
    'satellite',
    'aggressive',
    'conservative',
  ],
  'ruleset-optimization': ['none', 'basic', 'profile', 'yes', 'no'],
  'require-order': ['yes', 'no'],
  debug: ['none', 'urgent', 'misc', 'loud'],
  reassemble: ['yes', 'no'],
  syncookies: ['never', 'always', 'adaptive'],
}

export function ends(cursor: Cursor): void {
  if (!cursor.atEnd()) cursor.unexpected('the end of the line')
}

export function scrub(cursor: Cursor): void {
  cursor.takes('no')
  cursor.needs('scrub')
  cursor.takes('in', 'out')
  logQuick(cursor)
  ruleHead(cursor)
  while (!cursor.atEnd()) {
    if (cursor.takes('min-ttl')) cursor.number('min-ttl', 255)
    else if (cursor.takes('max-mss')) cursor.number('max-mss', 65_535)
    else if (cursor.takes('set-tos')) cursor.next()
    else if (cursor.takes('rtable')) cursor.number('the routing table', 65_535)
    else if (cursor.sees('!', 'tagged')) {
      cursor.takes('!')
      cursor.needs('tagged')
      shortName(cursor, 'tag')
    } else if (cursor.takes('reassemble')) cursor.needs('tcp')
    else if (cursor.takes('fragment')) {
      cursor.takes('no')
      if (!cursor.takes('reassemble', 'crop', 'drop-ovl'))
        cursor.unexpected("'reassemble'")
    } else if (!cursor.takes('no-df', 'random-id'))
      cursor.unexpected('an option of scrub')
  }
}

export function antispoof(cursor: Cursor): void {
  logQuick(cursor)
  cursor.needs('for')
  cursor.list(() => {
    cursor.takes('!')
    const dynamic = cursor.takes('(')
    interfaceName(cursor)
    if (dynamic) cursor.needs(')')
  })
  cursor.takes('inet', 'inet6')
  if (cursor.takes('label')) cursor.string('a label')
  ends(cursor)
}

/** The word `set` is read already. */
export function setOption(cursor: Cursor): void {
  if (cursor.takes('skip')) {
    cursor.needs('on')
    interfaces(cursor)
    return ends(cursor)
  }
  const { text: option } = cursor.next()
  const words = SET_WORDS[option]
  if (words !== undefined) {
    const { text } = cursor.next()
    if (!words.includes(text)) cursor.fault(`set ${option} takes ${words.join(', ')}`)
    if (text === 'adaptive') syncookieBounds(cursor)
    if (option === 'reassemble') cursor.takes('no-df')
  } else if (option === 'state-defaults') stateOptionList(cursor)
  else if (option === 'limit' || option === 'timeout') {
    cursor.list(() => {
      const name = cursor.takes('interval') ? 'interval' : cursor.string(`a ${option}`)
      const isNewer = option === 'limit' && NEWER_LIMITS.includes(name)
      const known = option === 'limit' ? LIMITS.includes(name) : isTimeout(name, cursor)
      if (isNewer) cursor.maybe(`the limit ${name}`)
      else if (!known) cursor.fault(`unknown ${option} '${name.slice(0, 64)}'`)
      cursor.number(`the ${option}`, 4_294_967_295)
    })
  } else if (option === 'loginterface') {
    if (!cursor.takes('none')) cursor.string('an interface')
  } else if (option === 'hostid') cursor.next()
  else if (option === 'fingerprints') cursor.string('the name of a file')
  else if (option !== 'keepcounters')
    cursor.fault(`unknown option '${option.slice(0, 64)}'`)
  ends(cursor)
}

/** `(start 25%, end 12%)`: of the limit of states. */
function syncookieBounds(cursor: Cursor): void {
  if (!cursor.takes('(')) return
  for (const bound of ['start', 'end']) {
    cursor.needs(bound)
    const { text } = cursor.next()
    if (!/^\d{1,3}%$/.test(text)) cursor.fault(`${bound} takes a percentage`)
    if (bound === 'start') cursor.needs(',')
  }
  cursor.needs(')')
}
