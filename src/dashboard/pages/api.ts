/**
 * Questions to the control plane, as whoever has logged in. A 401 anywhere means that the login
 * is over: the page then shows the ways in.
 */
import { signal } from '@preact/signals'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { say } from './say.js'

export type Role = 'view' | 'household' | 'admin'
export interface Me {
  readonly who: string
  readonly role: Role
  readonly entrance: string
  readonly csrf: string | null
}

/** Undefined: not asked yet; null: nobody is logged in. */
export const me = signal<Me | null | undefined>(undefined)
/** Requests that are under way. */
export const busy = signal(0)

const ROLES: readonly Role[] = ['view', 'household', 'admin']
export const may = (role: Role): boolean =>
  ROLES.indexOf(me.value?.role ?? 'view') >= ROLES.indexOf(role)

/** Why something was not done: `message` is for people, `body` what the API said besides. */
export class Problem extends Error {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>

  constructor(status: number, message: string, body: Readonly<Record<string, unknown>>) {
    super(message)
    this.status = status
    this.body = body
  }
}

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** The JSON of an answer. @throws Problem; status 0 where nobody answered */
export async function ask<T>(path: string, asking: Asking = {}): Promise<T> {
  const text = await askText(path, asking)
  return (text === '' ? {} : JSON.parse(text)) as T
}

export async function askText(path: string, asking: Asking = {}): Promise<string> {
  const { method = 'GET', body, signal } = asking
  const headers: Record<string, string> = {}
  if (method !== 'GET') headers['x-yori-csrf'] = me.peek()?.csrf ?? ''
  if (body !== undefined) headers['content-type'] = 'application/json'
  busy.value++
  try {
    const answer = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await answer.text()
    if (answer.ok) return text
    if (answer.status === 401 && path !== '/api/login') me.value = null
    throw problemOf(answer.status, text)
  } catch (cause) {
    if (cause instanceof Problem || (cause as Error).name === 'AbortError') throw cause
    throw new Problem(0, say('noAnswer'), {})
  } finally {
    busy.value--
  }
}

function problemOf(status: number, text: string): Problem {
  try {
    const body = JSON.parse(text) as Record<string, unknown>
    const { message } = body
    return new Problem(status, typeof message === 'string' ? message : `${status}`, body)
  } catch {
    return new Problem(status, `${status}`, {})
  }
}

export async function whoAmI(): Promise<void> {
  try {
    me.value = await ask<Me>('/api/me')
  } catch (cause) {
    if (!(cause instanceof Problem) || cause.status !== 401) throw cause
  }
}

export interface Answered<T> {
  readonly data: T | undefined
  readonly problem: Problem | undefined
  readonly isBusy: boolean
  readonly again: () => void
}

/** What a path answers, asked anew when it changes; undefined asks nothing. */
export function useAnswer<T>(path: string | undefined): Answered<T> {
  const [state, setState] = useState<{ data?: T; problem?: Problem; of?: string }>({})
  const [isBusy, setBusy] = useState(path !== undefined)
  const [times, setTimes] = useState(0)
  const latest = useRef(path)
  latest.current = path
  useEffect(() => {
    if (path === undefined) return
    const stop = new AbortController()
    setBusy(true)
    ask<T>(path, { signal: stop.signal })
      .then((data) => setState({ data, of: path }))
      .catch((cause: unknown) => {
        if (cause instanceof Problem)
          setState((was) => ({
            ...(was.of === path ? was : {}),
            problem: cause,
            of: path,
          }))
      })
      .finally(() => {
        if (!stop.signal.aborted) setBusy(false)
      })
    return () => stop.abort()
  }, [path, times])
  const again = useCallback(() => setTimes((count) => count + 1), [])
  const isOwn = state.of === path
  return {
    data: isOwn ? state.data : undefined,
    problem: isOwn ? state.problem : undefined,
    isBusy,
    again,
  }
}
