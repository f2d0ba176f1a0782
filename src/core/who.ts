/**
 * Whose words a text of a request is. `person` is also whatever cannot be assigned: a field
 * that nobody knows, and words of the model that nobody here has heard it say.
 */
export const WHO = ['person', 'program', 'tool', 'model'] as const

export type Who = (typeof WHO)[number]
