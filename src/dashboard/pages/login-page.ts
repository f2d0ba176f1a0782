/** The ways in: by name and password or PIN, or by the link that `yori dashboard` prints. */
import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { ask, Problem, whoAmI } from './api.js'
import { Mark } from './frame.js'
import { Failed } from './parts.js'
import type { Html } from './parts.js'
import { say } from './say.js'

/** What `control.people.pin_hash` can be of. */
const PIN = /^\d{6,12}$/

/** One field for both; a password may be of digits, too. @throws Problem */
async function logIn(name: unknown, secret: string): Promise<void> {
  const by = (body: object): Promise<unknown> =>
    ask('/api/login', { method: 'POST', body: { name, ...body } })
  if (!PIN.test(secret)) return void (await by({ password: secret }))
  try {
    await by({ pin: secret })
  } catch (cause) {
    if (!(cause instanceof Problem) || cause.status !== 401) throw cause
    await by({ password: secret })
  }
}

export function LoginPage(): Html {
  const [problem, setProblem] = useState<Problem>()
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const data = new FormData(event.target as HTMLFormElement)
    const name = data.get('name')
    const secret = data.get('password')
    if (typeof secret !== 'string') return
    setBusy(true)
    setProblem(undefined)
    try {
      await logIn(name, secret)
      await whoAmI()
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      setProblem(cause.status === 401 ? { ...cause, message: say('wrongLogin') } : cause)
    } finally {
      setBusy(false)
    }
  }
  return html`<main class="alone" id="main">
    <div class="brand"><${Mark} /> YORI</div>
    <section class="card" aria-labelledby="login">
      <h1 id="login">${say('login')}</h1>
      <p class="soft">${say('loginWhy')}</p>
      <form onSubmit=${submit}>
        <div class="field">
          <label for="name">${say('name')}</label>
          <input id="name" name="name" autocomplete="username" required maxlength="128" />
        </div>
        <div class="field">
          <label for="password">${say('password')}</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxlength="1024"
          />
        </div>
        <${Failed} problem=${problem} />
        <button class="first" disabled=${isBusy}>
          ${say(isBusy ? 'busy' : 'login')}
        </button>
      </form>
    </section>
    <section class="card" aria-labelledby="by-link">
      <h2 id="by-link">${say('noPassword')}</h2>
      <p>${say('loginByLink')} <code>yori dashboard</code></p>
      <p class="soft">${say('loginPeople')}</p>
    </section>
  </main>`
}
