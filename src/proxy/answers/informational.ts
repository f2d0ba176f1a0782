/** Responses before the response (RFC 9110 §15.2): of these, what may go on to the client. */
import { readResponseHead } from '../../http/head.js'
import type { HttpRequest, HttpResponse } from '../words/http-words.js'

/** How RFC 8288 §3 has a `Link` begin. */
const LINK = /^<[^<>]*>[ \t]*(?:[;,]|$)/

/** 100 is our own to send; of the others 102, and 103 (RFC 8297) with its links. */
export function passInformation(
  request: HttpRequest,
  response: HttpResponse,
  status: number,
  rawHeaders: readonly string[],
): void {
  if (response.headersSent || request.httpVersion === '1.0') return
  if (status === 102) response.writeProcessing()
  if (status !== 103) return
  const hints: Record<string, string[]> = {}
  const { fields } = readResponseHead(rawHeaders)
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase()
    ;(hints[name] ??= []).push(fields[i + 1] as string)
  }
  const { link } = hints
  if (link === undefined || !link.every((value) => LINK.test(value))) return
  try {
    response.writeEarlyHints(hints)
  } catch {
    // Node refuses links that RFC 8288 does not know; what goes before the answer may be left out.
  }
}
