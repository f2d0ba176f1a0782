/** On the socket a command says who is at the keyboard; whoever may open it could be anybody. */
export const ACTOR_FIELD = 'x-yori-actor'
const ACTOR = /^[\x21-\x7e][\x20-\x7e]{0,63}$/

/** Undefined: nobody, or no name. */
export function actorIn(said: unknown): string | undefined {
  return typeof said === 'string' && ACTOR.test(said) ? said : undefined
}
